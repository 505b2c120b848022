"""What a build looks at before it publishes: links, sizes, and what search engines are told."""

from asok.checks.answers import SiteAnswers
from asok.checks.findings import Findings, Place
from asok.checks.site import Links, Site, SiteChecks

__all__ = ["Findings", "Links", "Place", "Site", "SiteAnswers", "SiteChecks"]
