"""What weights are written as: the forms, the tokenizer beside them, and the table that names them all."""
