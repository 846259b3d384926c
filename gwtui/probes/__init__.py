"""The only room with sockets: each prober measures an endpoint once and returns one record, whatever happens."""
