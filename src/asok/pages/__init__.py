"""Pages: files that are routes, rendered once, regenerated in the background, or per request."""

from asok.pages.decision import Action, Decision, State, decide
from asok.pages.default import (
    configure_on_demand,
    publish_tags,
    revalidate_path,
    revalidate_tag,
)
from asok.pages.disk import DiskStore
from asok.pages.draft import ReleaseDraft
from asok.pages.encoding import choose_coding, has_current
from asok.pages.freeze import Progress, freeze
from asok.pages.note import Note
from asok.pages.on_demand import OnDemand, Target
from asok.pages.options import PageOptions
from asok.pages.overlay import Overlay, Seen
from asok.pages.plan import Job, plan
from asok.pages.prepared import Prepared, cache_status, prepare
from asok.pages.regenerate import Regenerator, Render, Served
from asok.pages.release import Release
from asok.pages.report import PageReport, Report
from asok.pages.route import Match, Route, Segment, Tree, encode_path
from asok.pages.router import Router
from asok.pages.scan import scan
from asok.pages.shelf import Shelf
from asok.pages.store import PageStore, Ticket
from asok.pages.stored import Rendered, StoredPage, decode, encode, why_not_stored
from asok.pages.tag_name import MAX_TAG, data_tag, page_tag, tag_problem
from asok.pages.tags import Mark, page_tags, path_tag, route_tag

__all__ = [
    "MAX_TAG",
    "Action",
    "Decision",
    "DiskStore",
    "Job",
    "Mark",
    "Match",
    "Note",
    "OnDemand",
    "Overlay",
    "PageOptions",
    "PageReport",
    "PageStore",
    "Prepared",
    "Progress",
    "Regenerator",
    "Release",
    "ReleaseDraft",
    "Render",
    "Rendered",
    "Report",
    "Route",
    "Router",
    "Seen",
    "Segment",
    "Served",
    "Shelf",
    "State",
    "StoredPage",
    "Target",
    "Ticket",
    "Tree",
    "cache_status",
    "choose_coding",
    "configure_on_demand",
    "data_tag",
    "decide",
    "decode",
    "encode",
    "encode_path",
    "freeze",
    "has_current",
    "page_tag",
    "page_tags",
    "path_tag",
    "plan",
    "prepare",
    "publish_tags",
    "revalidate_path",
    "revalidate_tag",
    "route_tag",
    "scan",
    "tag_problem",
    "why_not_stored",
]
