"""Band models, their calibration and the live correction: history in, band out. Pure."""
