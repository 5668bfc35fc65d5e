"""Every table of the app, with the index that staff search by: trigrams on PostgreSQL."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

from customers.search import vocabulary
from tenants import isolation
from tenants.trail import append_only

TABLES = [
    "customers_customer",
    "customers_customernumber",
    "customers_address",
    "customers_mixinschema",
    "customers_legalentity",
    "customers_contactassignment",
    "customers_customeridentifier",
    "customers_segment",
    "customers_segmentmembership",
    "customers_note",
    "customers_consent",
    "customers_searchword",
]


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        TrigramExtension(),  # it does nothing on other databases
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(editable=False, max_length=8)),
                ('title', models.CharField(blank=True, max_length=255, null=True)),
                ('first_name', models.CharField(blank=True, max_length=255, null=True)),
                ('middle_name', models.CharField(blank=True, max_length=255, null=True)),
                ('last_name', models.CharField(blank=True, max_length=255, null=True)),
                ('contact_email', models.CharField(blank=True, max_length=254, null=True)),
                ('contact_phone', models.CharField(blank=True, max_length=255, null=True)),
                ('company', models.CharField(blank=True, max_length=255, null=True)),
                ('company_registration_id', models.CharField(blank=True, max_length=255, null=True)),
                ('preferred_language', models.CharField(max_length=35)),
                ('preferred_currency', models.CharField(help_text='ISO 4217', max_length=3)),
                ('preferred_site', models.CharField(max_length=255)),
                ('sex', models.CharField(blank=True, max_length=16, null=True)),
                ('birth_date', models.DateField(blank=True, null=True)),
                ('nationality', models.CharField(blank=True, help_text='ISO 3166-1 alpha-2', max_length=2, null=True)),
                ('advisor', models.CharField(blank=True, help_text='The member of staff who looks after the customer.', max_length=255, null=True)),
                ('is_prospect', models.BooleanField(default=False, help_text='Is registered, but not a customer yet.')),
                ('is_activated', models.BooleanField(default=False, help_text='Has completed the activation.')),
                ('properties', models.JSONField(blank=True, default=dict, help_text='Further data that a storefront sent, unchanged.')),
                ('mixins', models.JSONField(blank=True, default=dict, help_text="The shop's own properties, by key.")),
                ('mixin_schemas', models.JSONField(blank=True, default=dict, help_text='The URL of the schema of each key.')),
                ('is_active', models.BooleanField(default=True, help_text="When off, the customer can't log in.")),
                ('is_on_hold', models.BooleanField(default=False, help_text="While on, the customer can't log in.")),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('last_login_at', models.DateTimeField(editable=False, null=True)),
                ('pending_void_before', models.DateTimeField(editable=False, help_text='What began before and waits for an answer has ended.', null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('erased_at', models.DateTimeField(editable=False, help_text='When the personal data was erased.', null=True)),
                ('merged_into', models.ForeignKey(db_index=False, editable=False, help_text="Who has this customer's data now: they turned out to be one person.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='customers.customer')),
                ('search_profile', models.TextField(blank=True, default='', editable=False)),
                ('search_addresses', models.TextField(blank=True, default='', editable=False, help_text='Folded for search.')),
                ('search_identifiers', models.TextField(blank=True, default='', editable=False, help_text='Folded for search.')),
                ('search_text', models.GeneratedField(db_persist=True, expression=models.Func(models.F('search_profile'), models.F('search_addresses'), models.F('search_identifiers'), models.Value(' '), arg_joiner=' || ', output_field=models.TextField(), template='(%(expressions)s)'), output_field=models.TextField())),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['pk'],
                'indexes': [
                    models.Index(fields=['tenant', 'contact_email'], name='customer_by_contact_email'),
                    models.Index(fields=['tenant', 'contact_phone'], name='customer_by_phone'),
                    models.Index(condition=models.Q(('is_active', False), ('is_on_hold', True), _connector='OR'), fields=['id'], name='customer_without_log_in'),
                    models.Index(fields=['tenant', '-id'], name='customer_newest'),
                    models.Index(fields=['tenant', 'created_at'], name='customer_by_creation'),
                    models.Index(condition=models.Q(('erased_at__isnull', False)), fields=['tenant', '-id'], name='customer_erased'),
                    models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='customer_merged'),
                    django.contrib.postgres.indexes.GinIndex(fields=['search_text'], name='customer_search', opclasses=['gin_trgm_ops']),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'number'), name='customer_number_unique'),
                    models.CheckConstraint(condition=models.Q(('number__regex', '^[0-9]{8}$')), name='customer_number_digits'),
                    models.CheckConstraint(condition=models.Q(('version__gte', 1)), name='customer_version_positive'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(help_text='Such as email, post, sms.', max_length=64)),
                ('is_given', models.BooleanField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('source', models.CharField(blank=True, default='', help_text='Where the customer said so.', max_length=64)),
                ('text_version', models.CharField(blank=True, default='', help_text='Of the text that was agreed to.', max_length=64)),
                ('locale', models.CharField(blank=True, default='', help_text='The language of that text.', max_length=35)),
                ('proof', models.CharField(blank=True, default='', help_text='What shows that it was the customer.', max_length=64)),
                ('receipt', models.UUIDField(editable=False, null=True)),
                ('receipt_salt', models.BinaryField(default=bytes, max_length=16)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
            ],
            options={
                'ordering': ['-pk'],
                'indexes': [
                    models.Index(fields=['tenant', 'customer', 'purpose', '-id'], name='consent_newest'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Address',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=64)),
                ('contact_name', models.CharField(blank=True, max_length=255, null=True)),
                ('company_name', models.CharField(blank=True, max_length=255, null=True)),
                ('street', models.CharField(blank=True, max_length=255, null=True)),
                ('street_number', models.CharField(blank=True, max_length=255, null=True)),
                ('street_appendix', models.CharField(blank=True, max_length=255, null=True)),
                ('extra_line_1', models.CharField(blank=True, max_length=255, null=True)),
                ('extra_line_2', models.CharField(blank=True, max_length=255, null=True)),
                ('extra_line_3', models.CharField(blank=True, max_length=255, null=True)),
                ('extra_line_4', models.CharField(blank=True, max_length=255, null=True)),
                ('postal_code', models.CharField(blank=True, max_length=255, null=True)),
                ('city', models.CharField(blank=True, max_length=255, null=True)),
                ('country', models.CharField(blank=True, help_text='ISO 3166-1 alpha-2', max_length=2, null=True)),
                ('state', models.CharField(blank=True, max_length=255, null=True)),
                ('contact_phone', models.CharField(blank=True, max_length=255, null=True)),
                ('tags', models.JSONField(blank=True, default=list)),
                ('mixins', models.JSONField(blank=True, default=dict)),
                ('mixin_schemas', models.JSONField(blank=True, default=dict)),
                ('is_default', models.BooleanField(default=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
            ],
            options={
                'verbose_name_plural': 'addresses',
                'ordering': ['pk'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'customer', 'public_id'), name='address_id_unique'),
                    models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('tenant', 'customer'), name='address_one_default'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CustomerIdentifier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Kind of the identifier, such as loyaltyCard.', max_length=64)),
                ('value', models.CharField(max_length=255)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['name', 'value'],
                'indexes': [
                    models.Index(fields=['tenant', 'customer'], name='identifier_by_customer'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'name', 'value'), name='customer_identifier_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CustomerNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last', models.PositiveIntegerField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('tenant',), name='customer_number_one_row'),
                ],
            },
        ),
        migrations.CreateModel(
            name='LegalEntity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=255)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name_plural': 'legal entities',
                'ordering': ['name'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'public_id'), name='legal_entity_id_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ContactAssignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=64)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('legal_entity', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.legalentity')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'public_id'), name='contact_assignment_id_unique'),
                    models.UniqueConstraint(fields=('tenant', 'customer', 'legal_entity'), name='contact_assigned_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='MixinSchema',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=500)),
                ('schema', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['url'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'url'), name='mixin_schema_url_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('staff_username', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-pk'],
                'indexes': [
                    models.Index(fields=['tenant', 'customer'], name='note_by_customer'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PostalCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(help_text='ISO 3166-1 alpha-2', max_length=2)),
                ('code', models.CharField(help_text='In capitals, without spaces.', max_length=20)),
                ('locality', models.CharField(max_length=180)),
                ('region', models.CharField(blank=True, default='', help_text='The name of the first-order division.', max_length=100)),
                ('region_code', models.CharField(blank=True, default='', max_length=20)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('country', 'code', 'locality'), name='postal_code_unique')],
            },
        ),
        migrations.CreateModel(
            name='SearchWord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('word', models.TextField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', 'word'], name='search_word'), django.contrib.postgres.indexes.GinIndex(fields=['word'], name='search_word_similar', opclasses=['gin_trgm_ops'])],
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('name', models.CharField(blank=True, default='', max_length=255)),
                ('description', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['code'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'code'), name='segment_code_unique'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SegmentMembership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.segment')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [
                    models.UniqueConstraint(fields=('tenant', 'customer', 'segment'), name='segment_member_once'),
                ],
            },
        ),
        migrations.RunPython(
            lambda apps, schema_editor: isolation.enable(schema_editor, TABLES),
            lambda apps, schema_editor: isolation.disable(schema_editor, TABLES),
        ),
        migrations.RunPython(
            lambda apps, schema_editor: isolation.grant_reading(schema_editor, "customers_postalcode"),
            migrations.RunPython.noop,
        ),
        migrations.RunPython(
            lambda apps, schema_editor: append_only.guard(schema_editor, app="customers"),
            lambda apps, schema_editor: append_only.unguard(schema_editor, app="customers"),
        ),
        migrations.RunPython(
            lambda apps, schema_editor: vocabulary.create(schema_editor),
            lambda apps, schema_editor: vocabulary.drop(schema_editor),
        ),
    ]
