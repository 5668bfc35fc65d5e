"""Every figure of `limits`."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """`free` failures cost nothing; from then on each doubles the wait, from `first` up to `longest`. After `hard`
    failures in a row, if there is such a number, the wait is `hard_wait`."""

    name: str
    free: int
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=15)
    # NIST SP 800-63B-4, 3.2.2: no more than 100 consecutive failures on one account.
    hard: int | None = 100
    hard_wait: timedelta = timedelta(days=1)

    def wait_after(self, failures: int) -> timedelta:
        """How long to wait after so many failures."""
        if failures < self.free:
            return timedelta(0)
        if self.hard is not None and failures >= self.hard:
            return self.hard_wait
        doublings = min(failures - self.free, 30)  # far beyond the longest wait, and no overflow
        return min(self.first * (1 << doublings), self.longest)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How many failures are taken: `burst` at once, and one more in each `interval`. Each success that counts allows
    `earned` more; `saved` of them are kept for later, beyond the burst."""

    name: str
    burst: int
    interval: timedelta
    earned: int
    saved: int


@dataclass(frozen=True, kw_only=True)
class Quota:
    """At most `limit` in each `window`."""

    name: str
    limit: int
    window: timedelta


# A count of failures goes with the success that ends them, or else after so long without another one.
FORGOTTEN_AFTER = timedelta(days=30)

# Failures with one account, on devices that its customer has not used. Those of a single address slow that address down
# soon, and everybody else late. The rest of the 100 that NIST allows is for the customer's own devices.
LOG_IN_BY_ACCOUNT_AND_ADDRESS = Backoff(name="log_in.account.address", free=10, hard=None)
LOG_IN_BY_ACCOUNT = Backoff(name="log_in.account", free=20, hard=80)
# Failures with one account of the shop's own system, from everywhere. Its customer's devices are not known before it
# has answered: an owner beside a guesser waits an hour at most, a guesser has 40 guesses on the first day, then 24.
LOG_IN_BY_WEBHOOK_ACCOUNT = Backoff(name="log_in.webhook.account", free=5, longest=timedelta(hours=1), hard=None)
# Failures on a device that the customer has used. Others may have the same, in the same network; as many are free as
# for an unknown e-mail, or else they would learn who is a customer.
LOG_IN_BY_DEVICE = Backoff(name="log_in.device", free=10, longest=timedelta(hours=1), hard=None)
# A customer who is logged in and shows the password again: whoever took over a session has few guesses.
OWN_PASSWORD = Backoff(name="password.own", free=5, hard=20)
# An address may be one attacker, an office, or a carrier with thousands of customers: what tells them apart is how many
# log in. Each customer allows 15 failures, once an hour (`password.log_in`), where 4 of 100 mistype. Without any there
# are 1,860 an hour. After an attack, an address recovers in two minutes.
LOG_IN_BY_ADDRESS = Allowance(name="log_in.address", burst=60, interval=timedelta(seconds=2), earned=15, saved=600)
# A client that repeats a request after a 401 is no guesser. The trace of a password goes after 15 minutes at most: the
# worker looks every ten.
WRONG_PASSWORD = Quota(name="log_in.wrong_password", limit=10, window=timedelta(minutes=5))
# A reader needs few mails of one kind. Each address has a share of its own in them, so that nobody uses up the owner's;
# all together have a bound, or a mailbox would be flooded. An address may be an office; a tenant's figure stops a
# runaway storefront.
MAIL_BY_DESTINATION = Quota(name="mail.destination", limit=5, window=timedelta(hours=1))
MAIL_BY_MAILBOX = Quota(name="mail.mailbox", limit=30, window=timedelta(hours=1))
MAIL_BY_ADDRESS = Quota(name="mail.address", limit=100, window=timedelta(hours=1))
MAIL_BY_TENANT = Quota(name="mail.tenant", limit=20_000, window=timedelta(hours=1))
# Notices to an address that nobody has proven, of all kinds: whoever has typed it in could have it told of one change
# after the other.
NOTICE_BY_MAILBOX = Quota(name="notice.mailbox", limit=10, window=timedelta(hours=1))
# Each log-in takes one. Who guesses gets three answers out of each (`one_time_code`).
CODE_BY_DESTINATION = Quota(name="code.destination", limit=10, window=timedelta(hours=1))
CODE_BY_MAILBOX = Quota(name="code.mailbox", limit=40, window=timedelta(hours=1))
# A text message costs money, and some of it flows back to whoever has us send it to numbers of theirs: few an address,
# fewer still to any one country that is not the tenant's own.
SMS_BY_DESTINATION = Quota(name="sms.destination", limit=5, window=timedelta(hours=1))
SMS_BY_ADDRESS = Quota(name="sms.address", limit=20, window=timedelta(hours=1))
SMS_BY_TENANT = Quota(name="sms.tenant", limit=2_000, window=timedelta(hours=1))
SMS_BY_FOREIGN_COUNTRY = Quota(name="sms.country", limit=50, window=timedelta(hours=1))
# Somebody who mistypes gets a new code soon, and nobody's mailbox fills up.
CODE_COOLDOWN = timedelta(seconds=30)  # between two codes of one purpose to one destination
# Codes that others ask for don't use up what is left for a device that the owner of the destination has used.
CODE_BY_DEVICE = Quota(name="code.device", limit=10, window=timedelta(hours=1))
# Each code that wrong answers used up makes the next answer wait longer. Longer codes are what stops a guesser
# (`one_time_code_answers`), and the wait of a minute keeps the owner out of nothing.
CODE_USED_UP = Backoff(name="code.used_up", free=1, longest=timedelta(minutes=1), hard=None)
# Wrong answers on a device that the owner has used, which others may have as well, in the same network.
CODE_ANSWER_BY_DEVICE = Backoff(name="code.answer.device", free=10, longest=timedelta(hours=1), hard=None)
# Wrong codes of an authenticator app, on devices that the customer has not used; and on one that the customer has used,
# which others, who know the password, wait for in vain.
AUTHENTICATOR_BY_CUSTOMER = Backoff(name="totp", free=1)
AUTHENTICATOR_BY_DEVICE = Backoff(name="totp.device", free=1, longest=timedelta(hours=1), hard=None)
# Guessing at 256 random bits is hopeless; this keeps a broken or hostile client from costing more than a look-up. By
# address, or else anybody could shut a shop's own servers out.
APPLICATION_LOG_IN_BY_ADDRESS = Backoff(name="application.address", free=10, hard=10_000)
# Reading every table about a customer costs much, and nobody needs it often.
DATA_EXPORT = Quota(name="data_export", limit=10, window=timedelta(days=1))
SIGN_UP_BY_ADDRESS = Quota(name="sign_up.address", limit=300, window=timedelta(hours=1))
# A visit is cheap, and a shop's server begins one for each of its visitors: many by address, and by key what stops a
# runaway storefront.
VISITS_BY_ADDRESS = Quota(name="visit.address", limit=600, window=timedelta(minutes=1))
VISITS_BY_KEY = Quota(name="visit.key", limit=30_000, window=timedelta(minutes=1))
