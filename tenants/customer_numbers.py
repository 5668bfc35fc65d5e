"""What a customer number looks like: `NUMBER_DIGITS` digits. `customers.numbers` assigns them, the trail and the outbox
name customers by them."""

NUMBER_DIGITS = 8
NUMBER_PATTERN = rf"^[0-9]{{{NUMBER_DIGITS}}}$"
FIRST_NUMBER = 10 ** (NUMBER_DIGITS - 1) + 1
ANONYMOUS_NUMBER = "0" * NUMBER_DIGITS  # of visitors who are not logged in
