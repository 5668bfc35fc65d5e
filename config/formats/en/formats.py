"""How the back office's lists and forms write moments: with the zone, which is that of the shop."""

DATETIME_FORMAT = "Y-m-d H:i T"
