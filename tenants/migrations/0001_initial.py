"""Every table of the app; the trails are append-only in the database, too (`tenants/trail/append_only.py`)."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import tenants.models.tenant
import tenants.models.trail
import tenants.clients
import uuid
from django.conf import settings
from django.db import migrations, models

from tenants import isolation
from tenants.trail import append_only, partitions
from tenants.outbox import wake_up

TABLES = [
    "tenants_site",
    "tenants_apikey",
    "tenants_signingkey",
    "tenants_staffmembership",
    "tenants_staffinvitation",
    "tenants_message",
    "tenants_mailsuppression",
    "tenants_receipt",
    "tenants_auditevent",
]


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffAuthenticator',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The human-readable name of this device.', max_length=64)),
                ('confirmed', models.BooleanField(default=True, help_text='Is this device ready for use?')),
                ('throttling_failure_timestamp', models.DateTimeField(blank=True, default=None, help_text='A timestamp of the last failed verification attempt. Null if last attempt succeeded.', null=True)),
                ('throttling_failure_count', models.PositiveIntegerField(default=0, help_text='Number of successive failed attempts.')),
                ('secret_encrypted', models.TextField(editable=False)),
                ('last_step', models.BigIntegerField(default=0, editable=False, help_text='The time step of the last accepted code; each is good once.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('user', models.ForeignKey(help_text='The user that this device belongs to.', on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'second factor of staff',
                'verbose_name_plural': 'second factors of staff',
            },
        ),
        migrations.CreateModel(
            name='StaffEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('action', models.CharField(max_length=64)),
                ('username', models.CharField(max_length=150)),
                ('is_success', models.BooleanField(default=True)),
                ('reason', models.CharField(blank=True, default='', max_length=255)),
                ('address', models.GenericIPAddressField(null=True)),
                ('subscriber', models.CharField(blank=True, default='', help_text='The address, or the network of one IPv6 line: who is counted.', max_length=49)),
                ('user_agent', models.CharField(blank=True, default='', max_length=255)),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['username', '-at'], name='staff_event_by_username'), models.Index(fields=['subscriber', '-at'], name='staff_event_by_subscriber')],
            },
        ),
        migrations.CreateModel(
            name='Tenant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=16, unique=True, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9]+$')])),
                ('number', models.PositiveIntegerField(help_text='Some interfaces identify the tenant by it.', unique=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('name', models.CharField(max_length=255)),
                ('is_active', models.BooleanField(default=True, help_text="When off, nobody can use this tenant's API.")),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('has_imported_hashes', models.BooleanField(default=False, editable=False)),
                ('default_language', models.CharField(default='en_US', max_length=35)),
                ('default_currency', models.CharField(default='USD', help_text='ISO 4217', max_length=3)),
                ('default_country', models.CharField(default='US', help_text='ISO 3166-1 alpha-2', max_length=2)),
                ('default_site', models.CharField(default='main', max_length=64)),
                ('time_zone', models.CharField(default='UTC', help_text='Staff read times in it, such as Europe/Berlin (IANA Time Zone Database).', max_length=64, validators=[tenants.models.tenant.check_time_zone])),
                ('is_customer_active_on_signup', models.BooleanField(default=True)),
                ('is_customer_on_hold_on_signup', models.BooleanField(default=False)),
                ('is_signup_enumeration_safe', models.BooleanField(default=False, help_text='A sign-up with an e-mail address that is registered already is answered like any other, and its owner gets a mail: nobody can find out who is a customer.')),
                ('is_opt_in_required', models.BooleanField(default=False, help_text='New customers can log in only after they have followed the link in a mail.')),
                ('is_confirmation_mailed', models.BooleanField(default=True, help_text='Where no opt-in is required: mail a link that confirms the e-mail address of a new account, and blocks nothing.')),
                ('is_deletion_confirmed', models.BooleanField(default=True, help_text='A customer who deletes the profile has to confirm it by a link in a mail.')),
                ('password_min_length', models.PositiveSmallIntegerField(default=8, help_text='In characters. NIST SP 800-63B asks for 15 where the password is the only factor.', validators=[django.core.validators.MinValueValidator(8)])),
                ('is_common_password_refused', models.BooleanField(default=True, help_text="Refuse common passwords and those that consist of the customer's name or e-mail address.")),
                ('check_in_policy', models.CharField(choices=[('none', 'As with the next; what a server with an API key hands in counts as proven'), ('partial', 'A one-time code when the data matches an existing customer'), ('full', 'A one-time code always, also for new customers'), ('no_identification', 'Nothing: every submission creates a new profile')], default='partial', help_text='What is required before data that a storefront submits changes a profile.', max_length=20)),
                ('second_factor_policy', models.CharField(choices=[('own', 'Only from customers who have set one up'), ('new_device', 'When the customer uses a device for the first time'), ('always', 'At every log-in')], default='own', help_text='When a log-in needs a second factor.', max_length=16)),
                ('server_networks', models.CharField(blank=True, default='', help_text="Networks of the shop's own servers, such as 192.0.2.0/28, with spaces between them: the shopper's address that they forward (X-Forwarded-For) is believed, and is what counts as the caller's.", max_length=500, validators=[tenants.clients.check_networks])),
                ('anonymous_access_lifetime', models.PositiveIntegerField(default=3600, help_text='Access token of a visitor who is not logged in.')),
                ('anonymous_refresh_lifetime', models.PositiveIntegerField(default=86400, help_text='Refresh token of a visitor who is not logged in.')),
                ('customer_access_lifetime', models.PositiveIntegerField(default=2592000, help_text='Access token of a customer who is logged in.')),
                ('customer_refresh_lifetime', models.PositiveIntegerField(default=86400, help_text='Refresh token of a customer who is logged in.')),
                ('renewable_access_lifetime', models.PositiveIntegerField(default=3600, help_text='Access token of a customer whose storefront refreshes it only once it has expired.')),
                ('renewable_refresh_lifetime', models.PositiveIntegerField(default=2592000, help_text='Refresh token of such a customer. Longer than that of the access token.')),
                ('service_jwt_lifetime', models.PositiveIntegerField(default=14400, help_text="JWT for the shop's other services, such as the cart.")),
                ('customer_jwt_lifetime', models.PositiveIntegerField(default=86400, help_text='JWT by which a storefront recognizes a customer who is logged in.')),
                ('session_lifetime', models.PositiveIntegerField(default=15552000, help_text='The customer has to log in again after this time, even if tokens were refreshed.')),
                ('session_idle_limit', models.PositiveIntegerField(default=0, help_text='The customer has to log in again after this time without a call, 300 or more. 0: however long.')),
                ('sessions_at_most', models.PositiveSmallIntegerField(default=0, help_text='How many sessions a customer has at once; a log-in beyond ends the oldest. 0: however many.')),
                ('audit_client_lifetime', models.PositiveIntegerField(default=7776000, help_text='How long the audit trail keeps network address and browser of an event.', validators=[django.core.validators.MinValueValidator(86400)])),
                ('mail_sender', models.CharField(blank=True, default='', help_text='Sender of mails, such as Acme Shop <shop@acme.example>. Empty: the default of this installation.', max_length=255)),
                ('brand_color', models.CharField(default='#0b6e4f', help_text='Colour of headings and buttons in mails, such as #0b6e4f.', max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-fA-F]{6}$')])),
                ('logo_url', models.URLField(blank=True, default='', help_text='Shown at the top of mails.')),
                ('opt_in_link', models.CharField(blank=True, default='', help_text="URL of the storefront's page; {token} stands for the token. Empty: a page of Patron.", max_length=500)),
                ('password_reset_link', models.CharField(blank=True, default='', help_text="URL of the storefront's page; {token} stands for the token. Empty: a page of Patron.", max_length=500)),
                ('email_change_link', models.CharField(blank=True, default='', help_text="URL of the storefront's page; {token} stands for the token. Empty: a page of Patron.", max_length=500)),
                ('deletion_link', models.CharField(blank=True, default='', help_text="URL of the storefront's page; {token} stands for the token. Empty: a page of Patron.", max_length=500)),
            ],
            options={
                'ordering': ['code'],
                'constraints': [models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z][a-z0-9]+$')), name='tenant_code_well_formed'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='tenant_number_positive'), models.CheckConstraint(condition=models.Q(('renewable_refresh_lifetime__gt', models.F('renewable_access_lifetime'))), name='tenant_renewable_refresh_longer', violation_error_message='The refresh token has to live longer than the access token.'), models.CheckConstraint(condition=models.Q(('session_idle_limit', 0), ('session_idle_limit__gte', 300), _connector='OR'), name='tenant_session_idle_limit', violation_error_message='A session is idle after 300 seconds or more; 0 for never.'), models.CheckConstraint(condition=models.Q(('password_min_length__gte', 8)), name='tenant_password_min_length')],
            },
        ),
        migrations.CreateModel(
            name='StaffRecoveryCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code_hmac', models.BinaryField(max_length=32)),
                ('spent_at', models.DateTimeField(null=True)),
                ('authenticator', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.staffauthenticator')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('authenticator', 'code_hmac'), name='staff_recovery_code_unique')],
            },
        ),
        migrations.CreateModel(
            name='StaffMembership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('viewer', 'Viewer: reads'), ('support', 'Support: helps customers'), ('manager', 'Manager: also erases, and keeps segments, companies and mail texts'), ('owner', 'Owner: also sets the shop up, and says who works for it')], max_length=8)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'user'), name='staff_membership_once')],
            },
        ),
        migrations.CreateModel(
            name='StaffInvitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254)),
                ('role', models.CharField(choices=[('viewer', 'Viewer: reads'), ('support', 'Support: helps customers'), ('manager', 'Manager: also erases, and keeps segments, companies and mail texts'), ('owner', 'Owner: also sets the shop up, and says who works for it')], max_length=8)),
                ('token_hash', models.BinaryField(max_length=32, null=True, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField()),
                ('spent_at', models.DateTimeField(help_text='When it was accepted.', null=True)),
                ('invited_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-pk'],
                'indexes': [models.Index(fields=['expires_at'], name='staff_invitation_by_expiry')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('spent_at', None)), fields=('tenant', 'email'), name='staff_invitation_once')],
            },
        ),
        migrations.CreateModel(
            name='MailSuppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254)),
                ('why', models.CharField(choices=[('bounced', 'Mail came back'), ('complained', 'Reported as spam'), ('refused', 'The mail server knows no such mailbox'), ('staff', 'Added by staff')], max_length=10)),
                ('detail', models.CharField(blank=True, default='', help_text='In the words of the mail server.', max_length=255)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'address'), name='mail_suppression_once')],
            },
        ),
        migrations.CreateModel(
            name='Site',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('number', models.PositiveIntegerField(blank=True, help_text='Some interfaces identify the site by it.', null=True)),
                ('name', models.CharField(blank=True, default='', max_length=255)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['code'],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'code'), name='site_code_unique'), models.UniqueConstraint(fields=('tenant', 'number'), name='site_number_unique')],
            },
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kid', models.CharField(max_length=43)),
                ('public_jwk', models.JSONField()),
                ('private_pem_encrypted', models.TextField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('signs_from', models.DateTimeField(help_text='Published at once, used from this moment on.')),
                ('is_revoked', models.BooleanField(default=False, help_text='Taken out of use at once: its tokens are refused.')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-signs_from'],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'kid'), name='signing_key_kid_unique')],
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('kind', models.CharField(choices=[('consent', 'A consent was given or withdrawn'), ('erasure', 'A customer was erased')], max_length=16)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('digest', models.BinaryField(help_text='SHA-256 of a salt, kept beside the statement, and of the statement.', max_length=32)),
                ('position', models.PositiveBigIntegerField(null=True)),
                ('chain_digest', models.BinaryField(help_text='SHA-256 of the hash before and this receipt.', max_length=32, null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['pk'],
                'indexes': [models.Index(condition=models.Q(('position', None)), fields=['tenant'], name='receipt_unchained')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'reference'), name='receipt_reference_unique'), models.UniqueConstraint(fields=('tenant', 'position'), name='receipt_position_unique')],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template', models.CharField(max_length=64)),
                ('language', models.CharField(blank=True, default='', max_length=35)),
                ('site', models.CharField(blank=True, default='', max_length=64)),
                ('channel', models.CharField(choices=[('email', 'Mail'), ('sms', 'Text message'), ('webhook', 'Webhook')], default='email', max_length=8)),
                ('recipient', models.CharField(help_text='An e-mail address, a telephone number in E.164, or the name of a webhook endpoint.', max_length=254)),
                ('event_id', models.BigIntegerField(editable=False, null=True)),
                ('customer_number', models.CharField(blank=True, default='', help_text='Whom an event is about.', max_length=8)),
                ('context_encrypted', models.TextField(blank=True, default='', editable=False)),
                ('is_urgent', models.BooleanField(default=False, editable=False, help_text='Somebody is waiting for it.')),
                ('reference', models.UUIDField(default=uuid.uuid4, editable=False, help_text='The same at every attempt: a receiver knows a repetition by it.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_error', models.CharField(blank=True, default='', max_length=255)),
                ('sent_at', models.DateTimeField(null=True)),
                ('failed_at', models.DateTimeField(help_text='When sending was given up.', null=True)),
                ('dropped_at', models.DateTimeField(help_text='When it turned out that there was nothing to say.', null=True)),
                ('replayed_at', models.DateTimeField(help_text='When somebody had it sent again after it was given up.', null=True)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-pk'],
                'indexes': [models.Index(condition=models.Q(('dropped_at', None), ('failed_at', None), ('sent_at', None), ('is_urgent', True)), fields=['next_attempt_at', 'id'], name='message_urgent'), models.Index(condition=models.Q(('dropped_at', None), ('failed_at', None), ('sent_at', None), ('is_urgent', False), models.Q(('channel', 'webhook'), _negated=True)), fields=['next_attempt_at', 'id'], name='message_notices'), models.Index(condition=models.Q(('dropped_at', None), ('failed_at', None), ('sent_at', None), ('channel', 'webhook'), ('is_urgent', False)), fields=['next_attempt_at', 'id'], name='message_events'), models.Index(condition=models.Q(('dropped_at', None), ('failed_at', None), ('sent_at', None), ('channel', 'webhook')), fields=['tenant', 'recipient', 'customer_number', 'id'], name='message_event_order'), models.Index(fields=['tenant', 'recipient'], name='message_by_recipient')],
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('action', models.CharField(max_length=64)),
                ('is_success', models.BooleanField(default=True)),
                ('reason', models.CharField(blank=True, default='', max_length=255)),
                ('customer_number', models.CharField(blank=True, default='', max_length=8)),
                ('session_id', models.UUIDField(null=True)),
                ('staff_username', models.CharField(blank=True, default='', max_length=150)),
                ('method', models.CharField(blank=True, default='', max_length=64)),
                ('address', models.GenericIPAddressField(null=True)),
                ('user_agent', models.CharField(blank=True, default='', max_length=255)),
                ('device', models.CharField(blank=True, default='', max_length=32)),
                ('events', models.CharField(blank=True, default='', editable=False, max_length=128)),
                ('details', models.JSONField(default=dict, editable=False)),
                ('transaction_id', models.BigIntegerField(db_default=tenants.models.trail.CurrentTransaction(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['tenant', 'customer_number', '-at'], name='audit_by_customer'), models.Index(condition=models.Q(('events', ''), _negated=True), fields=['tenant', 'transaction_id', 'id'], name='audit_events'), models.Index(fields=['tenant', '-at'], name='audit_by_time'), models.Index(condition=models.Q(('staff_username', ''), _negated=True), fields=['staff_username', '-id'], name='audit_by_staff'), models.Index(condition=models.Q(('is_success', False)), fields=['-id'], name='audit_failures'), models.Index(condition=models.Q(('address__isnull', False), models.Q(('user_agent', ''), _negated=True), _connector='OR'), fields=['tenant', 'at'], name='audit_with_client')],
            },
        ),
        migrations.RunPython(partitions.partition, migrations.RunPython.noop),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_id', models.CharField(max_length=128)),
                ('secret_hash', models.CharField(blank=True, default='', editable=False, max_length=64)),
                ('name', models.CharField(blank=True, default='', max_length=255)),
                ('is_active', models.BooleanField(default=True)),
                ('is_forwarding_trusted', models.BooleanField(default=False, help_text="For a server that sends the shopper's network address in X-Forwarded-For. The key needs a secret, because client ids are public. When off, limits count all shoppers of this server as one.")),
                ('scopes', models.CharField(blank=True, default='', help_text='What its secret opens beyond naming the storefront. The key needs a secret.', max_length=255)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'API key',
                'ordering': ['client_id'],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'client_id'), name='api_key_client_id_unique'), models.CheckConstraint(condition=models.Q(('is_forwarding_trusted', False), models.Q(('secret_hash', ''), _negated=True), _connector='OR'), name='api_key_trusted_with_secret', violation_error_message='Only a key with a secret can be trusted to forward addresses.'), models.CheckConstraint(condition=models.Q(('scopes', ''), models.Q(('secret_hash', ''), _negated=True), _connector='OR'), name='api_key_scopes_with_secret', violation_error_message='Only a key with a secret can have scopes.')],
            },
        ),
        migrations.RunPython(
            lambda apps, schema_editor: isolation.enable(schema_editor, TABLES),
            lambda apps, schema_editor: isolation.disable(schema_editor, TABLES),
        ),
        migrations.RunPython(append_only.create_triggers, append_only.drop_triggers),
        migrations.RunPython(wake_up.create_trigger, wake_up.drop_trigger),
    ]
