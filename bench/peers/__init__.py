"""What Patron is compared with, in a virtual environment of their own (`bench/peers/servers.py`)."""
