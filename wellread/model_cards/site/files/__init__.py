"""How the files of a site are made, in several processes, and written; another builder makes all anew."""
