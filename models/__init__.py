"""Networks, their artefacts and the engine that runs them. Knows arrays only; imports nothing of ours."""
