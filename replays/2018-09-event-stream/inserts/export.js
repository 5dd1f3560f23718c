es.flatmap = flatmap
