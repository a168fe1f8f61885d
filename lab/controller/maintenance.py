"""Nodes that are taken out of service and back: asked for of a machine, carried out a while later."""

from __future__ import annotations

from . import bodies_clusters as bodies
from . import engine, events, nodes, pools
from .core import DONE, Context, Reply, route
from .errors import invalid

PATH = "/v1/cloudconfigs/{cloud}/{uid}/machinePools/{pool}/machines/{machine}/maintenance"


@route("PUT", PATH, body=bodies.MAINTENANCE)
def maintain(context: Context) -> Reply:
    if context.parts["cloud"] != "edge-native":
        raise invalid("The lab has clusters of the cloud type edge-native only")
    config = pools.find(context)
    machine = pools.find_machine(context, config)
    action = context.body.get("action", "")
    if not action:
        raise invalid("action is required")
    nodes.ask(machine, action)
    cluster = context.store.get("cluster", config["_lab"]["cluster"])
    context.store.put("config", config["metadata"]["uid"], config)
    if cluster is not None:
        words = f"{action} of the node {machine['metadata']['name']}"
        name, uid = cluster["metadata"]["name"], cluster["metadata"]["uid"]
        events.record(context.lab, "spectrocluster", uid, name, "Maintenance", words)
        engine.touch(context.lab, cluster)
        engine.move(context.lab, uid)
    return DONE
