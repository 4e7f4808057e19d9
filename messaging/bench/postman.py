def run(folder, scene, say):
    return []
