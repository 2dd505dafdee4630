"""A whole house in one folder: servers, streams, credentials, processes."""
