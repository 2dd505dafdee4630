"""Stream `reward.<id>`: the store. Its words come with the store; the stream is reserved here."""
