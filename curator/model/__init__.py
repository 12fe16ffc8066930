"""What a language model is asked and what it answers. The one package that knows an API; nothing here knows a draft."""
