"""A whole shop as one YAML file: exported, compared with what is there, and applied.

The file says how a shop is set up: policies, sites, API keys, providers, flows, templates, schemas, webhooks, staff. It
holds no customer and no secret; a secret is named by the environment variable that has it.
"""
