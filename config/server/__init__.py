"""What runs around Django: the server's interface, what load balancers ask, the log."""
