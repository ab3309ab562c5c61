r"""How secrets look: what is taken out of log lines, and out of answers for people (pure).

Each form is described once. A log line loses rather too much than too little, so it is searched in
any case and whatever stands around. An answer shows people what strangers wrote, as they wrote it:
there a token is one only where it begins as a word does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTE = r"""(?:\\*["']|%22|%27|&#34;|&#39;|&quot;)"""
_IS = rf"(?:{_QUOTE}\s*(?:[=:,]|%3[AD])|\s*(?:[=:]|%3[AD]))\s*(?:b?{_QUOTE})?"
_VALUE = r"""[^\s"'\\&<>,;(){}\[\]]+"""
_NAMES = (
    "access_token",
    "appsecret_proof",
    "input_token",
    "client_secret",
    "app_secret",
    "receiver_session",
    "password",
)
_SCHEMES = "bearer|oauth|basic|digest|token"
_BEGINS = (
    r"(?:(?<![\w.-])"
    # The letter before it may end an escape: of JSON, or of a URL.
    r"|(?<=\\[abfnrtv])|(?<=\\u[0-9a-fA-F]{4})|(?<=\\x[0-9a-fA-F]{2})|(?<=%[0-9a-fA-F]{2}))"
)


@dataclass(frozen=True)
class Form:
    """How a secret looks, in regular expressions: what stands before it and stays, and itself.

    A text that holds none of the ``needles``, in lower case, holds no such secret; without needles
    any may. Where other text has to stay as it is, what ``begins`` and ``ends`` hold as well.
    """

    needles: tuple[str, ...]
    kept: str
    hidden: str
    begins: str = ""
    ends: str = ""

    @property
    def anywhere(self) -> str:
        """The expression, whatever stands around; its group ``kept`` stays."""
        return rf"(?P<kept>{self.kept})(?:{self.hidden})"

    @property
    def by_itself(self) -> str:
        """The expression where a secret begins and ends by itself; its group ``kept`` stays."""
        return rf"{self.begins}{self.anywhere}{self.ends}"


_NOTIFICATION_TOKEN = Form(
    (),
    kept=r"[0-9a-f]{8}\.[1-9][0-9]{0,18}\.[1-9][0-9]{0,9}\.",
    hidden=r"[A-Za-z0-9_-]{22}",
    ends=r"(?![\w-])",
)

FORMS = (
    # access_token=…, "access_token": "…", ('access_token', '…'), access_token%3D…
    Form(_NAMES, kept=rf"(?i:{'|'.join(_NAMES)})(?i:{_IS})", hidden=_VALUE),
    _NOTIFICATION_TOKEN,
    # A caller's key, and Facebook's tokens: of a user or a page, of an app.
    Form(("rcv_", "rcv%5f"), kept="", hidden=r"rcv(?:_|%5[Ff])[\w-]{16,}", begins=_BEGINS),
    Form(("eaa",), kept="", hidden=r"EAA[\w-]{16,}", begins=_BEGINS),
    Form(("|", "%7c"), kept=r"[0-9]{5,20}(?:\||%7[Cc])", hidden=r"[\w-]{16,}", begins=_BEGINS),
    # The password in a URL. It ends where a cell or a text may: what follows is not its host.
    Form(("@",), kept=r"""://[^\s/:@"'<>,]*:""", hidden=r"""[^\s/@"'<>,]+(?=@)"""),
)

FORMS_IN_LOGS = (
    # RECEIVER_SECRET_KEYS=…,… as gunicorn shows its own settings.
    Form((), kept=rf"(?:secret_keys|metrics_token){_IS}", hidden=r"""[^\s"'\\]+"""),
    # Authorization: Bearer …, "Authorization": "…"
    Form((), kept=rf"authorization{_IS}", hidden=rf"(?:(?:{_SCHEMES})\s+)?{_VALUE}"),
    # The value of such a header without its name.
    Form((), kept=r"(?:bearer|oauth|basic)\s+", hidden=r"[\w.~+/=|%-]{16,}"),
    # The token of a notification URL, in its path.
    Form((), kept=r"(?:/|%2F)notifications(?:/|%2F)", hidden=r"""[^\s"'\\?#<>]+"""),
    # A password in a URL that holds what would end a cell.
    Form((), kept=r"://[^\s/:@]*:", hidden=r"[^\s/@]+(?=@)"),
)
"""What an answer may hold, because words and links of our own look like it too."""

_TOKEN_IN_BYTES = re.compile(_NOTIFICATION_TOKEN.by_itself.encode())


def hide_tokens(data: bytes) -> bytes:
    """Take the MAC out of whatever looks like a token of a notification URL.

    Facebook shows the URL of each set of ours to whoever may read the set there.
    """
    return _TOKEN_IN_BYTES.sub(rb"\g<kept>(hidden)", data)
