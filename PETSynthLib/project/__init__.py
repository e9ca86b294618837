"""Surface projection in the manner of 3D-SSP: peaks below the brain surface, references, z, page.

Written from the published method (Minoshima et al., J Nucl Med 1995;36:1238-1248); not NEUROSTAT.
"""
