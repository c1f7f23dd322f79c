"""Texts to documents, sentences, tokens and vectors, as Spark NLP's annotators make them; without Spark."""
