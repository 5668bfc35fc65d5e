"""Every table of the app."""

import auth_providers.models.accounts
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from tenants import isolation

TABLES = [
    "auth_providers_account",
    "auth_providers_knowndevice",
    "auth_providers_unfinishederasure",
    "auth_providers_session",
    "auth_providers_token",
    "auth_providers_undoablechange",
    "auth_providers_customermerge",
    "auth_providers_webhookendpoint",
    "auth_providers_flow",
    "auth_providers_submission",
    "auth_providers_messagetemplate",
    "auth_providers_mailedtoken",
    "auth_providers_pendingsignup",
    "auth_providers_onetimecode",
    "auth_providers_authenticator",
    "auth_providers_recoverycode",
    "auth_providers_pendinglogin",
    "auth_providers_pendinglink",
    "auth_providers_usedidtoken",
    "auth_providers_attempts",
    "auth_providers_authprovider",
]


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('customers', '0001_initial'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('email', 'E-mail address'), ('phone', 'Telephone number'), ('external', 'Identity at another provider')], default='email', max_length=8)),
                ('provider', models.CharField(blank=True, default='', help_text="The name of an external identity's provider.", max_length=64)),
                ('issuer', models.CharField(blank=True, default='', help_text="Who gives out an external identity's subjects.", max_length=500)),
                ('identifier', models.CharField(help_text='The e-mail address, lower-case, the number in E.164, or the subject.', max_length=255)),
                ('email', models.CharField(blank=True, default='', help_text="What an external identity's provider said.", max_length=254)),
                ('is_email_verified', models.BooleanField(default=False, help_text="Whether its provider says that an external identity's owner has proven `email`.")),
                ('password', models.CharField(blank=True, default='', editable=False, max_length=255)),
                ('is_password_initial', models.BooleanField(default=False, help_text='Set by staff; to be changed at once.')),
                ('is_permitted', models.BooleanField(default=True, help_text='Whether it may be logged in with: not while the confirmation of its owner is awaited.')),
                ('is_additional', models.BooleanField(default=False, editable=False, help_text='Added to a profile by its holder, and not confirmed by its owner yet.')),
                ('verified_at', models.DateTimeField(editable=False, help_text='When its owner first showed to read the mailbox or to hold the telephone.', null=True)),
                ('verified_by', models.CharField(blank=True, choices=[('link', 'A link in a mail'), ('code', 'A one-time code'), ('provider', 'Another provider'), ('server', "The shop's own server")], default='', editable=False, max_length=8)),
                ('session_id', models.UUIDField(editable=False, help_text='The session in which it was made or its password was set.', null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['pk'],
                'indexes': [
                    models.Index(fields=['tenant', 'customer'], name='account_by_customer'),
                    models.Index(condition=models.Q(('is_permitted', False)), fields=['tenant', 'customer'], name='account_waiting'),
                    django.contrib.postgres.indexes.GinIndex(fields=['identifier'], name='account_search', opclasses=['gin_trgm_ops']),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'kind', 'identifier', 'provider', 'issuer'), name='account_identity_unique'),
                    models.CheckConstraint(condition=models.Q(models.Q(('email', ''), ('issuer', ''), ('kind', 'email'), ('provider', ''), models.Q(('password', ''), _negated=True)), models.Q(('email', ''), ('issuer', ''), ('kind', 'phone'), ('password', ''), ('provider', '')), models.Q(('kind', 'external'), ('password', ''), models.Q(('provider', ''), _negated=True), models.Q(('issuer', ''), _negated=True)), _connector='OR'), name='account_fields_of_kind'),
                    models.CheckConstraint(condition=models.Q(models.Q(('verified_at', None), ('verified_by', '')), models.Q(('is_additional', False), ('is_permitted', True), ('verified_at__isnull', False), models.Q(('verified_by', ''), _negated=True)), _connector='OR'), name='account_verified_by_something'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Attempts',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=32)),
                ('key', models.BinaryField(max_length=32)),
                ('count', models.PositiveBigIntegerField()),
                ('since', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('blocked_until', models.DateTimeField(null=True)),
                ('noted_until', models.DateTimeField(help_text='The end of the wait that is on the trail.', null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['expires_at'], name='attempts_by_expiry'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'rule', 'key'), name='attempts_key_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Authenticator',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('throttling_failure_timestamp', models.DateTimeField(blank=True, default=None, help_text='A timestamp of the last failed verification attempt. Null if last attempt succeeded.', null=True)),
                ('throttling_failure_count', models.PositiveIntegerField(default=0, help_text='Number of successive failed attempts.')),
                ('secret_encrypted', models.TextField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('last_step', models.BigIntegerField(default=0, help_text='The time step of the last accepted code; each is good once.')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'customer'), name='authenticator_one_each'),
                ],
            },
        ),
        migrations.CreateModel(
            name='AuthProvider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The name that storefronts send.', max_length=64)),
                ('kind', models.CharField(max_length=16)),
                ('is_enabled', models.BooleanField(default=True)),
                ('issuer', models.URLField(blank=True, default='', help_text='The `iss` of its tokens; its discovery document lies under this address.', max_length=500)),
                ('client_id', models.CharField(blank=True, default='', help_text='The id by which it knows the shop; its tokens must name it as audience.', max_length=255)),
                ('client_secret_encrypted', models.TextField(blank=True, default='', editable=False)),
                ('settings', models.JSONField(blank=True, default=dict, help_text='What this kind needs beyond the other fields.')),
                ('redirect_uris', models.JSONField(blank=True, default=list, help_text='Where it may send customers back to.')),
                ('authorized_parties', models.JSONField(blank=True, default=list, help_text='Token exchange: the applications (`azp` or `client_id`) whose tokens are accepted.')),
                ('introspection_url', models.URLField(blank=True, default='', help_text='Where it is asked about a token (RFC 7662). Empty: its signature is checked.', max_length=500)),
                ('is_provisioning', models.BooleanField(default=True, help_text='Create a customer for an identity that is new.')),
                ('is_linking_by_email', models.BooleanField(default=False, help_text='Log in as the customer with the same e-mail address, where the provider has verified it.')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'name'), name='auth_provider_name_unique'),
                    models.CheckConstraint(condition=models.Q(models.Q(('kind', models.F('name')), ('kind__in', ['password', 'otp', 'totp'])), models.Q(models.Q(('kind__in', ['password', 'otp', 'totp']), _negated=True), models.Q(('name__in', ['password', 'otp', 'totp']), _negated=True)), _connector='OR'), name='auth_provider_own_names'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Flow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='How storefronts name it.', max_length=64)),
                ('is_enabled', models.BooleanField(default=True)),
                ('steps', models.JSONField(default=list, help_text='Each an object with `step` and what that step needs.')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'name'), name='flow_name_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='KnownDevice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('device', models.CharField(max_length=32)),
                ('first_seen_date', models.DateField(default=auth_providers.models.accounts.today)),
                ('last_seen_date', models.DateField(default=auth_providers.models.accounts.today)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['last_seen_date'], name='known_device_by_age'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'customer', 'device'), name='known_device_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='MessageTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template', models.CharField(help_text='Such as password_reset.', max_length=64)),
                ('site', models.CharField(blank=True, default='', help_text='Empty: every site.', max_length=64)),
                ('language', models.CharField(help_text='Two letters, such as de.', max_length=8)),
                ('subject', models.CharField(max_length=255)),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True, default='', help_text='Empty: the mail has a text part only.')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['template', 'site', 'language'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'template', 'site', 'language'), name='message_template_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='OneTimeCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last_generated_timestamp', models.DateTimeField(blank=True, help_text='The last time a token was generated for this device.', null=True)),
                ('throttling_failure_timestamp', models.DateTimeField(blank=True, default=None, help_text='A timestamp of the last failed verification attempt. Null if last attempt succeeded.', null=True)),
                ('throttling_failure_count', models.PositiveIntegerField(default=0, help_text='Number of successive failed attempts.')),
                ('purpose', models.CharField(choices=[('log_in', 'Log In'), ('verification', 'Verification'), ('second_factor', 'Second Factor')], max_length=16)),
                ('channel', models.CharField(choices=[('email', 'Email'), ('sms', 'Sms')], max_length=8)),
                ('destination', models.CharField(help_text='The e-mail address, normalized, or the number in E.164.', max_length=254)),
                ('customer_number', models.CharField(blank=True, default='', max_length=8)),
                ('challenge_id', models.UUIDField(default=uuid.uuid4, help_text='New with every code.')),
                ('code_hmac', models.BinaryField(max_length=32)),
                ('wrong_answers', models.PositiveSmallIntegerField(default=0)),
                ('wrong_on_known_devices', models.PositiveSmallIntegerField(default=0)),
                ('wrong_in_a_row', models.PositiveSmallIntegerField(default=0)),
                ('issued_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('spent_at', models.DateTimeField(null=True)),
                ('kept_until', models.DateTimeField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['kept_until'], name='one_time_code_by_age'),
                    models.Index(fields=['tenant', 'destination'], name='one_time_code_by_reader'),
                    models.Index(fields=['tenant', 'customer_number'], name='one_time_code_by_customer'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'purpose', 'channel', 'destination', 'customer_number'), name='one_time_code_alive'),
                    models.UniqueConstraint(fields=('tenant', 'challenge_id'), name='one_time_code_challenge_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PendingLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('challenge_id', models.UUIDField()),
                ('handle_hash', models.BinaryField(help_text='Of the second factor, once the code is answered.', max_length=32, null=True)),
                ('data_encrypted', models.TextField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('spent_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(help_text='The one with the e-mail.', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auth_providers.account')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['expires_at'], name='pending_link_by_expiry'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'challenge_id'), name='pending_link_challenge_unique'),
                    models.UniqueConstraint(fields=('tenant', 'handle_hash'), name='pending_link_handle_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PendingSignUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data_encrypted', models.TextField(editable=False)),
                ('session_id', models.UUIDField(editable=False, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auth_providers.account')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['expires_at'], name='pending_sign_up_by_expiry'),
                ],
            },
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code_hmac', models.BinaryField(max_length=32)),
                ('spent_at', models.DateTimeField(null=True)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'customer', 'code_hmac'), name='recovery_code_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Session',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('site', models.CharField(blank=True, default='', max_length=64)),
                ('currency', models.CharField(blank=True, default='', max_length=3)),
                ('language', models.CharField(blank=True, default='', max_length=35)),
                ('country', models.CharField(blank=True, default='', max_length=2)),
                ('method', models.CharField(blank=True, default='', help_text='How the customer logged in.', max_length=64)),
                ('second_factor', models.CharField(blank=True, default='', help_text='What was proven on top.', max_length=16)),
                ('address', models.GenericIPAddressField(null=True)),
                ('user_agent', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('authenticated_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(default=django.utils.timezone.now, help_text='To a minute or two.')),
                ('expires_at', models.DateTimeField(help_text='No token of the session outlives this.')),
                ('ended_at', models.DateTimeField(null=True)),
                ('end_reason', models.CharField(blank=True, default='', max_length=64)),
                ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='auth_providers.account')),
                ('api_key', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tenants.apikey')),
                ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('legal_entity', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='customers.legalentity')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-created_at'],
                'indexes': [
                    models.Index(fields=['expires_at'], name='session_by_expiry'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('customer__isnull', True), ('authenticated_at__isnull', False), _connector='OR'), name='session_customer_authenticated'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PendingLogIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('handle_hash', models.BinaryField(max_length=32)),
                ('method', models.CharField(help_text='The first factor.', max_length=64)),
                ('is_mailbox_proof', models.BooleanField(default=False, help_text='Whether the first factor was something mailed.')),
                ('challenge_id', models.UUIDField(help_text='Of the code that was sent for it last.', null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('spent_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auth_providers.account')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('anonymous_session', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='auth_providers.session')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['expires_at'], name='pending_log_in_by_expiry'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'handle_hash'), name='pending_log_in_handle_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('challenge_id', models.UUIDField()),
                ('handle_hash', models.BinaryField(max_length=32, null=True)),
                ('data_encrypted', models.TextField(editable=False)),
                ('flow', models.CharField(blank=True, default='', max_length=64)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('customer_number', models.CharField(blank=True, default='', max_length=8)),
                ('is_written', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('spent_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['expires_at'], name='submission_by_expiry'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'challenge_id'), name='submission_challenge_unique'),
                    models.UniqueConstraint(fields=('tenant', 'handle_hash'), name='submission_handle_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Token',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('anonymous_access', 'Anonymous Access'), ('anonymous_refresh', 'Anonymous Refresh'), ('customer_access', 'Customer Access'), ('customer_refresh', 'Customer Refresh')], max_length=17)),
                ('token_hash', models.BinaryField(max_length=32, unique=True)),
                ('issued_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('spent_at', models.DateTimeField(help_text='When a refresh token was exchanged for its successor.', null=True)),
                ('api_key', models.ForeignKey(help_text='The client that it was issued to; none where the log-in named none.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tenants.apikey')),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auth_providers.session')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['expires_at'], name='token_by_expiry'),
                ],
            },
        ),
        migrations.CreateModel(
            name='UndoableChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('notice', models.CharField(help_text='The template of the mail that tells of it.', max_length=64)),
                ('state_encrypted', models.TextField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(null=True)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['tenant', 'customer'], name='undoable_change_by_customer'),
                    models.Index(fields=['expires_at'], name='undoable_change_by_expiry'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CustomerMerge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('staff_username', models.CharField(max_length=150)),
                ('snapshot_encrypted', models.TextField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField(help_text='Until then it can be undone.')),
                ('undone_at', models.DateTimeField(null=True)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('merged', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', 'customer'], name='customer_merge_by_customer'), models.Index(fields=['expires_at'], name='customer_merge_by_expiry')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('tenant', 'merged'), name='customer_merge_in_force')],
            },
        ),
        migrations.CreateModel(
            name='MailedToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('opt_in', 'Opt In'), ('password_reset', 'Password Reset'), ('email_change', 'Email Change'), ('deletion', 'Deletion'), ('undo', 'Undo')], max_length=32)),
                ('token_hash', models.BinaryField(max_length=32, unique=True)),
                ('details', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('spent_at', models.DateTimeField(null=True)),
                ('used_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auth_providers.account')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auth_providers.undoablechange')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['expires_at'], name='mailed_token_by_expiry'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('account', None), ('change__isnull', False), ('purpose', 'undo')), models.Q(models.Q(('purpose', 'undo'), _negated=True), ('account__isnull', False), ('change', None)), _connector='OR'), name='mailed_token_of_account_or_change'),
                ],
            },
        ),
        migrations.CreateModel(
            name='UnfinishedErasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('destinations_encrypted', models.TextField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'customer'), name='unfinished_erasure_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='UsedIdToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_hash', models.BinaryField(help_text='Of its `jti`, or of its claims.', max_length=32)),
                ('expires_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['expires_at'], name='used_id_token_by_expiry'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'token_hash'), name='used_id_token_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='How flows name it.', max_length=64)),
                ('url', models.URLField(max_length=500)),
                ('secret_encrypted', models.TextField(blank=True, default='', editable=False)),
                ('previous_secret_encrypted', models.TextField(blank=True, default='', editable=False)),
                ('previous_secret_until', models.DateTimeField(editable=False, null=True)),
                ('is_enabled', models.BooleanField(default=True)),
                ('event_types', models.CharField(blank=True, default='', help_text='Of which events it is told. Without any, only flows call it.', max_length=512)),
                ('has_personal_data', models.BooleanField(default=False, help_text='Events of new and changed customers hold the profile, as it is when they are sent.')),
                ('owner_email', models.EmailField(blank=True, default='', help_text='Who is told when it has taken nothing for a day, and when it is switched off, after three.', max_length=254)),
                ('told_transaction_id', models.BigIntegerField(default=0, editable=False)),
                ('told_id', models.BigIntegerField(default=0, editable=False)),
                ('failing_since', models.DateTimeField(editable=False, null=True)),
                ('owner_told_at', models.DateTimeField(editable=False, null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'name'), name='webhook_endpoint_name_unique'),
                ],
            },
        ),
        migrations.RunPython(
            lambda apps, schema_editor: isolation.enable(schema_editor, TABLES),
            lambda apps, schema_editor: isolation.disable(schema_editor, TABLES),
        ),
    ]
