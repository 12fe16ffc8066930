"""A second reader of any text: a model that has the record beside it, and is believed as far as the facts go.

The rules of ``curator.verify`` are sure where a text names its runs. Where it calls them by what is special about them,
a reader who understands English knows more. It does two things: it says which facts a doubted passage means, and code
compares them with the words; and it objects to what the facts contradict, for a person to weigh. It cannot say that a
text is right. Its silence counts only against guesses: findings about who and which way, in a sentence that names no
run, where nothing in the record reads as if it had been told to be silent.
"""
