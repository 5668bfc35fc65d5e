"""Names of secrets: what a storefront may send beside a customer's data by mistake, and what is never kept.

A name counts as a whole, without regard to capitals, accents and what separates its words: `accessToken` is one and
`tokenRing` is none. `pinCode` is a postal code. The languages are those of our mails.
"""

from collections.abc import Iterator, Mapping

from customers.spelling.names import folded
from tenants.errors import FieldError

WORDS = {
    "en": "password passwd pwd passphrase passcode oldpassword currentpassword newpassword repeatpassword "
    "passwordrepeat confirmpassword passwordconfirm passwordconfirmation passwordhash hashedpassword pin "
    "otp totp totpsecret onetimepassword onetimecode mfacode twofactorcode recoverycode token accesstoken "
    "refreshtoken idtoken authtoken sessiontoken bearertoken apitoken resettoken jwt secret clientsecret "
    "sharedsecret secretkey apikey privatekey secretanswer securityanswer credentials cvv cvv2 cvc cvc2",
    "de": "passwort kennwort altespasswort neuespasswort passwortwiederholung passwortwiederholen "
    "passwortbestatigung passwortbestaetigung geheimnis geheimzahl geheimwort einmalpasswort einmalcode "
    "zugangscode sicherheitsantwort kartenprufnummer kartenpruefnummer",
    "fr": "motdepasse mdp nouveaumotdepasse ancienmotdepasse confirmationmotdepasse confirmermotdepasse "
    "codesecret codepin codeconfidentiel jeton jetondacces reponsesecrete cryptogramme",
    "es": "contrasena contrasenia nuevacontrasena contrasenaactual confirmarcontrasena repetircontrasena "
    "clavesecreta claveacceso clavedeacceso codigosecreto secreto tokendeacceso respuestasecreta",
    "pl": "haslo nowehaslo starehaslo powtorzhaslo potwierdzhaslo hasloponownie kodpin kodjednorazowy "
    "haslojednorazowe sekret tajneslowo",
}
NAMES = frozenset(name for words in WORDS.values() for name in words.split())


def is_secret(name: str) -> bool:
    """Whether something of this name is a secret."""
    return folded(name.replace("ł", "l").replace("Ł", "l")).replace(" ", "") in NAMES


def errors(path: str, value: object) -> Iterator[FieldError]:
    """An error for each secret that the value has at any depth, by its path; null keeps nothing and is none."""
    level: list[tuple[str, object]] = [(path, value)]
    while level:
        for place, each in level:
            yield from _errors(place, each)
        level = [part for place, each in level for part in _parts(place, each)]


def _errors(path: str, value: object) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        return
    for name in [name for name, inner in value.items() if inner is not None and is_secret(str(name))]:
        yield FieldError(field=f"{path}.{name}", code="invalid", message=f"Secrets are not kept: leave out {name}.")


def _parts(path: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(f"{path}.{name}", inner) for name, inner in value.items()]
    return [(f"{path}.{index}", inner) for index, inner in enumerate(value)] if isinstance(value, list) else []
