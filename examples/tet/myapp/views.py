"""The one page."""

from pyramid.view import view_config


@view_config(route_name="index", renderer="myapp:templates/index.tk")
def index(request):
    return {"stylesheet_url": request.static_url("myapp:static/style.css")}
