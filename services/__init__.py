"""The rooms. Each has the same files; they meet only in the log, in the words of `contracts`."""
