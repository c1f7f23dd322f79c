"""Tokenizer: sentences to tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark.ml.param import TypeConverters
from pyspark.sql import DataFrame

from wellread.annotators.tokens import CONTEXT_CHARS, Splitter
from wellread.errors import BadInput
from wellread.spark.columns.rule_rows import Rule
from wellread.spark.stages.params import at_least, parameter, set_of
from wellread.spark.stages.text_annotator import TextAnnotator


class Tokenizer(TextAnnotator):
    """Sentences, or whole documents, to tokens: at white space, and ``contextChars`` split off at both ends."""

    needs = ("document",)
    gives = "token"
    contextChars = parameter("contextChars", "what is split off at a token's ends", TypeConverters.toListString)
    splitChars = parameter("splitChars", "what splits a token inside", TypeConverters.toListString)
    splitPattern = parameter("splitPattern", "a pattern that splits a token inside", TypeConverters.toString)
    exceptions = parameter("exceptions", "words that are never split", TypeConverters.toListString)
    caseSensitiveExceptions = parameter(
        "caseSensitiveExceptions", "whether their case counts", TypeConverters.toBoolean
    )
    minLength = parameter("minLength", "shorter tokens are dropped, in characters", at_least(0))
    maxLength = parameter("maxLength", "longer tokens are dropped, in characters", at_least(0))
    targetPattern = parameter("targetPattern", "what a token is before it is split", TypeConverters.toString)

    def __init__(self) -> None:
        super().__init__(
            inputCols=["sentence"],
            outputCol="token",
            contextChars=list(CONTEXT_CHARS),
            splitChars=[],
            exceptions=[],
            caseSensitiveExceptions=True,
            minLength=0,
            targetPattern=r"\S+",
        )

    def addException(self, value: str) -> Tokenizer:
        """One more word that is never split."""
        return set_of(self, exceptions=[*self.getExceptions(), value])

    def setExceptionsPath(self, path: str | Path, read_as: str = "TEXT", options: Any = None) -> Tokenizer:
        """Words that are never split, one on each line of a text file on this machine, which is read at once.

        ``read_as`` and ``options`` are Spark NLP's and without effect. Raises BadInput.
        """
        try:
            lines = Path(path).read_text("utf-8").splitlines()
        except (OSError, TypeError, ValueError) as error:
            raise BadInput(
                f"exceptionsPath={str(path)!r} cannot be read, as a text file on this machine: {error}"
            ) from error
        return set_of(self, exceptions=[line for line in lines if line.strip()])

    def addContextChars(self, value: str) -> Tokenizer:
        """One more character that is split off at the ends."""
        return set_of(self, contextChars=[*self.getContextChars(), value])

    def addSplitChars(self, value: str) -> Tokenizer:
        """One more character that splits."""
        return set_of(self, splitChars=[*self.getSplitChars(), value])

    def fit(self, dataset: DataFrame | None = None, params: Any = None) -> Tokenizer:
        """The stage itself: Spark NLP's Tokenizer is fitted, this one has nothing to learn."""
        return self.copy(params)

    def rule(self) -> Rule:
        return Splitter(
            context_chars=tuple(self.getContextChars()),
            split_chars=tuple(self.getSplitChars()),
            split_pattern=self.getSplitPattern(),
            exceptions=tuple(self.getExceptions()),
            case_sensitive_exceptions=self.getCaseSensitiveExceptions(),
            min_length=self.getMinLength(),
            max_length=self.getMaxLength(),
            target_pattern=self.getTargetPattern(),
        )
