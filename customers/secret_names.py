"""Names of secrets: what a storefront may send beside a customer's data by mistake, and what is never kept.

A name counts without regard to capitals, accents and what separates its words, as a whole or with words around it:
`accessToken`, `user_password` and `mot_de_passe_confirmation` are secrets; `tokenRing`, `passwordless` and
`password_changed_at` are none. `pinCode` is a postal code. The languages are those of our mails.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from customers.spelling.names import folded
from tenants.errors import FieldError
from tenants.json_values import Json

WORDS = {
    "en": "password passwords passwd pwd passphrase passcode oldpassword currentpassword newpassword repeatpassword "
    "passwordrepeat confirmpassword passwordconfirm passwordconfirmation passwordhash hashedpassword pin "
    "otp otpcode totp totpcode totpsecret onetimepassword onetimecode mfacode twofactorcode recoverycode token "
    "accesstoken refreshtoken idtoken authtoken sessiontoken bearertoken apitoken resettoken jwt secret clientsecret "
    "sharedsecret secretkey apikey privatekey secretanswer securityanswer credentials cvv cvv2 cvc cvc2 pinnumber "
    "securitycode verificationcode authcode recoverycodes backupcodes",
    "de": "passwort kennwort altespasswort neuespasswort passwortwiederholung passwortwiederholen "
    "passwortbestatigung passwortbestaetigung geheimnis geheimzahl geheimwort einmalpasswort einmalcode "
    "zugangscode sicherheitsantwort kartenprufnummer kartenpruefnummer passworter kennworter geheimnummer pinnummer "
    "zugangsdaten sicherheitscode",
    "fr": "motdepasse mdp nouveaumotdepasse ancienmotdepasse confirmationmotdepasse confirmermotdepasse "
    "codesecret codepin codeconfidentiel jeton jetondacces jetonacces reponsesecrete cryptogramme motsdepasse "
    "phrasesecrete codeausageunique",
    "es": "contrasena contrasenia nuevacontrasena contrasenaactual confirmarcontrasena repetircontrasena "
    "clavesecreta claveacceso clavedeacceso codigosecreto secreto tokendeacceso respuestasecreta contrasenas "
    "nuevaclave claveactual codigopin numeropin codigodeunsolouso",
    "pl": "haslo nowehaslo starehaslo powtorzhaslo potwierdzhaslo hasloponownie kodpin kodjednorazowy "
    "haslojednorazowe sekret tajneslowo hasla tajnykod numerpin tokendostepu",
}
# Secrets as a whole name alone: in Spanish a `cliente clave` is a key account.
ALONE = frozenset({"clave"})
NAMES = frozenset(name for words in WORDS.values() for name in words.split())
# Names that end with one of these, without anything that separates words, are secrets as well.
ENDINGS = ("password", "passwd", "pwd", "passphrase", "passcode", "passwort", "kennwort", "motdepasse", "contrasena")
# What follows one of these tells whose it is, unless it is one of `ABOUT`; in some of our languages it has to follow.
BEGINNINGS = frozenset((*ENDINGS, "haslo"))
# Words of names that tell something about a password instead.
ABOUT_TEXT = (
    "change changed changes changing updated modified set created date at on last age expires expired expiry "
    "expiration valid until hint policy rule rules strength score length required needed optional reset forgotten "
    "requested sent attempts failures count question manager enabled disabled allowed protected login free less type "
    "kind status state version method url link help geandert geaendert datum hinweis richtlinie ablauf vergessen "
    "modifie oublie indice fecha cambio cambiada olvidada data zmiany zmiana"
)
ABOUT = frozenset(ABOUT_TEXT.split())
# What follows any secret's name and leaves it one.
ONCE_MORE_TEXT = (
    "confirm confirmed confirmation repeat repeated again retype verify verification check hash hashed salt plain "
    "plaintext cleartext encrypted raw text value input field old new current temp temporary initial copy "
    "bestatigung bestaetigung bestatigen wiederholung wiederholen neu alt confirmer nouveau ancien confirmar "
    "confirmacion repetir nueva actual ponownie powtorz potwierdz nowe stare"
)
ONCE_MORE = frozenset(ONCE_MORE_TEXT.split())
# What ends like a secret and is none: addresses of devices, and pins that are worn.
HARMLESS_TEXT = "pushtoken devicetoken fcmtoken apnstoken registrationtoken lapelpin mappin hatpin"
HARMLESS = frozenset(HARMLESS_TEXT.split())
# Between the words of a name that is written without spaces.
WORD_ENDS = re.compile(
    r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])|(?<=\D)(?=\d)|(?<=\d)(?=\D)"
)
LONGEST = 6  # words of a secret's name


def is_secret(name: str, value: object = None) -> bool:
    """Whether something of this name is a secret. A `value` that is true or false is one only under a name that is one
    as a whole: `has_password` says that there is one."""
    words = folded(WORD_ENDS.sub(" ", name.replace("ł", "l").replace("Ł", "L"))).split()
    whole = "".join(words)
    if whole in NAMES or whole in ALONE:
        return True
    return not isinstance(value, bool) and (_ends_in_one(words) or _begins_with_one(words))


def _ends_in_one(words: Sequence[str]) -> bool:
    """Whether the name ends in that of a secret, but for words that leave it one."""
    end = len(words)
    while end:
        for start in range(max(0, end - LONGEST), end):
            if "".join(words[start:end]) in NAMES:
                return "".join(words[max(0, start - 1) : end]) not in HARMLESS
        if words[end - 1].endswith(ENDINGS):
            return True
        if words[end - 1] not in ONCE_MORE and not words[end - 1].isdigit():
            return False
        end -= 1
    return False


def _begins_with_one(words: Sequence[str]) -> bool:
    """Whether the name begins with a password's, and does not tell something about it."""
    for end in range(1, min(len(words), LONGEST)):
        if "".join(words[:end]) in BEGINNINGS:
            return ABOUT.isdisjoint(words[end:])
    return False


def errors(path: str, value: object) -> Iterator[FieldError]:
    """An error for each secret that the value has at any depth, by its path; null keeps nothing and is none."""
    level: list[tuple[str, object]] = [(path, value)]
    while level:
        for place, each in level:
            yield from _errors(place, each)
        level = [part for place, each in level for part in _parts(place, each)]


def without(value: Json) -> Json:
    """The value without the secrets that it has at any depth."""
    if isinstance(value, Mapping):
        return {name: without(inner) for name, inner in value.items() if not is_secret(name, inner)}
    return [without(inner) for inner in value] if isinstance(value, list) else value


def _errors(path: str, value: object) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        return
    for name in [name for name, inner in value.items() if inner is not None and is_secret(str(name), inner)]:
        yield FieldError(field=f"{path}.{name}", code="invalid", message=f"Secrets are not kept: leave out {name}.")


def _parts(path: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(f"{path}.{name}", inner) for name, inner in value.items()]
    return [(f"{path}.{index}", inner) for index, inner in enumerate(value)] if isinstance(value, list) else []
