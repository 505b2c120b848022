"""The development server: a supervisor that watches, a fork server, and one process that serves.

```
asok dev ── supervisor   holds the listening socket and the watcher; never imports site code
            └─ zygote    has imported Asok and its libraries; forks a child for each generation
               └─ child  imports wsgi.py and serves on the inherited socket
```

A change of Python code is a new generation: its child is forked, imports the site in
milliseconds and takes over; the old one goes once the new one is ready. A change of a
template or an asset needs no new process: the child is told and tells the browsers.
"""
