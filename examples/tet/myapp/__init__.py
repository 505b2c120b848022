"""A Pyramid application whose static files change their URLs with every deploy."""

from tet.config import application_factory


@application_factory()
def main(config):
    config.include("tet.static")
    if "myapp.release" in config.registry.settings:
        config.set_cachebreaker(config.registry.settings["myapp.release"])
    config.add_static_view_with_breaker(
        name="static/{breaker}",
        path="myapp:static",
        cache_max_age=31536000,  # one year -- safe, because the URL changes per deploy
    )
    config.add_route("index", "/")
    config.scan()
