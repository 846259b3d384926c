"""How the parts are put together: a configuration and options in, a front end over a feed out."""
