"""What programs and readers may ask of the server, told as an OpenAPI document.

Nothing here is asked while a request is answered: bodies are read raw by their routes, which take these words
along. A file for each kind of route says what its routes take and answer.
"""
