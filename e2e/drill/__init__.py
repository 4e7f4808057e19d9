"""What a site has to live through: rehearsed with a real server, real processes and real faults."""
