"""Alder in LangChain, LlamaIndex and Haystack. Each class stands on its own beside `call`: copy what you need.

`adapters.py URL` tests them against a running server; `scripts/adapters` starts one and installs the packages.
"""

import json
import sys
from urllib.request import Request, urlopen

from haystack import Document as HaystackDocument
from haystack import ExtractedAnswer, Pipeline, component
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from llama_index.core.retrievers import BaseRetriever as LlamaIndexRetriever
from llama_index.core.schema import NodeWithScore, TextNode


def call(url, key, route, **body):
    """The reply of the service to `body`, where fields that are None are left out."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    sent = json.dumps({name: value for name, value in body.items() if value is not None})
    with urlopen(Request(f"{url}/v1/{route}", sent.encode(), headers)) as reply:
        return json.load(reply)


def facts(hit):
    """What is known of a hit beside its text."""
    known = {name: hit.get(name) for name in ("document", "title", "heading_path", "page", "freshness")}
    return {name: value for name, value in known.items() if value is not None} | hit.get("metadata", {})


class AlderRetriever(BaseRetriever):
    """Passages of Alder for LangChain."""

    url: str = "http://127.0.0.1:7700"
    key: str | None = None
    k: int = 10
    filter: str | dict | None = None

    def _get_relevant_documents(self, query, *, run_manager):
        reply = call(self.url, self.key, "search", q=query, limit=self.k, filter=self.filter)
        return [
            Document(id=hit["id"], page_content=hit["text"], metadata=facts(hit) | {"score": hit["score"]})
            for hit in reply["hits"]
        ]


class AlderNodes(LlamaIndexRetriever):
    """Passages of Alder for LlamaIndex."""

    def __init__(self, url="http://127.0.0.1:7700", key=None, top_k=10, filter=None):
        self.url, self.key, self.top_k, self.filter = url, key, top_k, filter
        super().__init__()

    def _retrieve(self, query_bundle):
        reply = call(self.url, self.key, "search", q=query_bundle.query_str, limit=self.top_k, filter=self.filter)
        return [
            NodeWithScore(node=TextNode(id_=hit["id"], text=hit["text"], metadata=facts(hit)), score=hit["score"])
            for hit in reply["hits"]
        ]


@component
class AlderReader:
    """Passages and verbatim answers of Alder for Haystack; no answers where the documents do not say."""

    def __init__(self, url="http://127.0.0.1:7700", key=None):
        self.url, self.key = url, key

    @component.output_types(documents=list[HaystackDocument], answers=list[ExtractedAnswer])
    def run(self, query: str, filters: dict | None = None, top_k: int = 10):
        reply = call(self.url, self.key, "ask", q=query, limit=top_k, filter=filters)
        documents = [
            HaystackDocument(id=hit["id"], content=hit["text"], meta=facts(hit), score=hit["score"])
            for hit in reply["hits"]
        ]
        found = reply["answers"] if reply["verdict"]["confident"] else []
        answers = [
            ExtractedAnswer(
                query=query,
                score=answer["probability"],
                data=answer["text"],
                context=answer["passage"]["text"],
                context_offset=ExtractedAnswer.Span(answer["passage"]["start"], answer["passage"]["end"]),
                document_offset=ExtractedAnswer.Span(answer["start"], answer["end"]),
                meta=facts(answer),
            )
            for answer in found
        ]
        return {"documents": documents, "answers": answers}


QUESTION = "How many symphonies did Beethoven write?"
ELSEWHERE = "What is the password of the wireless network?"


def check(url):
    found = AlderRetriever(url=url, k=3).invoke(QUESTION)
    assert len(found) == 3 and found[0].metadata["document"] == "ludwig-van-beethoven.md", found
    assert found[0].page_content and found[0].metadata["score"] >= found[1].metadata["score"]

    nodes = AlderNodes(url, top_k=3).retrieve(QUESTION)
    assert [node.node.node_id for node in nodes] == [document.id for document in found]
    assert nodes[0].get_content() == found[0].page_content

    pipeline = Pipeline()
    pipeline.add_component("alder", AlderReader(url))
    read = pipeline.run({"alder": {"query": QUESTION, "top_k": 3}})["alder"]
    assert read["documents"] and read["documents"][0].meta["title"], read
    for answer in read["answers"]:
        place = answer.context_offset
        assert answer.context[place.start : place.end] == answer.data, answer
    silent = pipeline.run({"alder": {"query": ELSEWHERE}})["alder"]
    assert silent["answers"] == [], silent["answers"]
    print("LangChain, LlamaIndex and Haystack are served")


if __name__ == "__main__":
    check(sys.argv[1])
