"""Own photos: read, faces found in them, enhanced."""
