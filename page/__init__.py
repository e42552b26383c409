"""The looks of the chat: its markup, style, script and wording."""
