"""SMTP with a server that answers byte by byte: a reply takes no longer in whole than a silence may.

smtplib's timeout is for one silence, so that such a server would hold all mails behind the one that it is told of. What
is cut off was not handed over; only after the end of a mail may the server take its time.
"""

import smtplib
from typing import TYPE_CHECKING

from django.core.mail.backends import smtp

from auth_providers.outbound import limited_time

if TYPE_CHECKING:
    from typing_extensions import Buffer

PATH = f"{__name__}.EmailBackend"
LAST_REPLY_SECONDS = 600.0  # RFC 5321, 4.5.3.2.6: whoever gives up sooner sends twice what the server has taken


class _Limited(smtplib.SMTP):
    _replies_of_data = 0

    def getreply(self) -> tuple[int, bytes]:
        """A reply, whose last one of a mail says whether it was taken."""
        silence, is_last = float(self.timeout or LAST_REPLY_SECONDS), self._replies_of_data == 1
        self._replies_of_data = max(0, self._replies_of_data - 1)
        if self.sock is None:
            return super().getreply()
        with limited_time.in_time(self.sock, LAST_REPLY_SECONDS if is_last else silence):
            return super().getreply()

    def data(self, msg: "Buffer | str") -> tuple[int, bytes]:
        """The server says whether it may come, and whether it has."""
        self._replies_of_data = 2
        try:
            return super().data(msg)
        finally:
            self._replies_of_data = 0


class _LimitedOverTls(_Limited, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    """Django's, with limited replies."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _LimitedOverTls if self.use_ssl else _Limited
