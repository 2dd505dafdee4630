"""One day of a made-up district: 20 riders, 200 reports, and what became of each.

`places.yaml`, `riders.yaml`, `reports.yaml` and `outcomes.yaml` hold the words, all of them
written for this story; `authored` reads them, `story` deals them out into a day.
"""
