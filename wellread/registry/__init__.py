"""What a hub is, room by room, from the ground up:

    names  records  disk  home  pieces  retry      words, facts, safe writes, hashes, patience
    stores/         the places that a hub can be
    trust/          keys, signatures, whose are believed
    artifact/       the zip that describes itself, and its proof
    hub/            the index, publishing, yanking
    cache/          what is kept on this machine
    transfer/       from a hub into the cache
    views/          what the index decides, said again
    resolve/        from a name to one release
    distribution/   copies, bundles, Hugging Face, a server

Needs the standard library, msgspec and filelock; anything else is imported where it is used.
"""
