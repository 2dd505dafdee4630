"""How intake decides: about reports, and about parties."""
