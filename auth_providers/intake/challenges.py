"""Answering a challenge, for each purpose that its code can have.

A client has the challenge's id and the code, and need not know their purpose: that is decided here.
"""

from auth_providers.intake import answers
from auth_providers.login import federated, one_time_code, second_factor
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt


def answer(*, attempt: LogInAttempt, challenge_id: str, code: str) -> sessions.Started | one_time_code.Issued:
    """Do what the challenge is for, then log its customer in: write the data of a submission, link an identity with its
    customer's account, or nothing, for the code or the second factor of a log-in.

    `challenge_id` is that of an `Issued` code, or the handle of what waits for a second factor. Returns the session, or
    the next code where a submission's flow asks for another one. Raises `one_time_code.InvalidCode`,
    `second_factor.InvalidHandle`, `limits.Throttled`, and what `answers.answer_and_log_in`, `federated.complete_link`,
    `one_time_code.log_in_with_code` and `second_factor.complete` raise besides. Not inside a transaction: wrong answers
    count.
    """
    if answers.is_awaited(tenant=attempt.tenant, challenge_id=challenge_id):
        return answers.answer_and_log_in(attempt=attempt, challenge_id=challenge_id, code=code)
    issued_id = answers.find_uuid(text=challenge_id)
    if issued_id is None:
        return second_factor.complete(attempt=attempt, handle=challenge_id, code=code)
    if federated.awaits_link(tenant=attempt.tenant, challenge_id=issued_id):
        return federated.complete_link(attempt=attempt, challenge_id=issued_id, code=code)
    return one_time_code.log_in_with_code(attempt=attempt, challenge_id=issued_id, code=code)
