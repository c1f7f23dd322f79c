"""What is kept on this machine: members of releases, and what hubs said."""
