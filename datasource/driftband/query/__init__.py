"""The query language: PromQL and a little more. Pure but for the fetch it is handed."""
