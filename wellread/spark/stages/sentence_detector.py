"""SentenceDetector: documents to sentences."""

from __future__ import annotations

from pyspark.ml.param import TypeConverters
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from wellread.annotators.sentences import SentenceSplitter
from wellread.spark.columns.annotation_columns import field, labelled
from wellread.spark.columns.rule_rows import Rule
from wellread.spark.stages.params import at_least, parameter
from wellread.spark.stages.text_annotator import TextAnnotator


class SentenceDetector(TextAnnotator):
    """Documents to sentences, by rules. ``explodeSentences`` gives each sentence a row of its own."""

    needs = ("document",)
    gives = "document"
    language = parameter("language", "whose rules and abbreviations", TypeConverters.toString)
    customBounds = parameter("customBounds", "patterns that end a sentence as well", TypeConverters.toListString)
    useCustomBoundsOnly = parameter("useCustomBoundsOnly", "no other rule than customBounds", TypeConverters.toBoolean)
    useAbbreviations = parameter("useAbbreviations", "whether theirs end no sentence", TypeConverters.toBoolean)
    detectLists = parameter(
        "detectLists", "without effect: items of a list are what their marks are", TypeConverters.toBoolean
    )
    minLength = parameter("minLength", "shorter sentences are dropped, in characters", at_least(0))
    maxLength = parameter("maxLength", "longer sentences are dropped, in characters", at_least(0))
    splitLength = parameter("splitLength", "longer sentences are cut, in characters", at_least(1))
    explodeSentences = parameter("explodeSentences", "whether each gets its own row", TypeConverters.toBoolean)

    def __init__(self) -> None:
        super().__init__(
            inputCols=["document"],
            outputCol="sentence",
            language="en",
            customBounds=[],
            useCustomBoundsOnly=False,
            useAbbreviations=True,
            detectLists=True,
            minLength=0,
            explodeSentences=False,
        )

    def rule(self) -> Rule:
        return SentenceSplitter(
            language=self.getLanguage(),
            custom_bounds=tuple(self.getCustomBounds()),
            custom_bounds_only=self.getUseCustomBoundsOnly(),
            use_abbreviations=self.getUseAbbreviations(),
            min_length=self.getMinLength(),
            max_length=self.getMaxLength(),
            split_length=self.getSplitLength(),
        )

    def _transform(self, dataset: DataFrame) -> DataFrame:
        found = super()._transform(dataset)
        if not self.getExplodeSentences():
            return found
        name = self.getOutputCol()
        return found.withColumn(name, F.explode(field(name))).withColumn(
            name, labelled(F.array(field(name)), name, self.gives)
        )
