"""Apps that Marathon's double runs."""

REGISTRY = {"id": "/tools/registry", "instances": 1, "cmd": "registry serve", "portDefinitions": [{"port": 5000}]}
WEB = {"id": "/shop/web", "instances": 2, "cmd": "web"}
