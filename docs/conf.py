"""Configuration of the documentation: sphinx-build -W -b html docs docs/_build/html"""

import skreg

project = "skreg"
author = "the skreg developers"
copyright = f"2026, {author}"
version = release = skreg.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

numpydoc_show_class_members = False  # api.md lists the methods itself

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"^(?!plot_)",  # quickstart.py and the benchmarks are scripts, not pages
    "capture_repr": (),  # printed text and figures, no representation of the last value
}

plot_html_show_formats = plot_html_show_source_link = False
plot_formats = [("png", 120)]

html_theme = "pydata_sphinx_theme"
html_theme_options = {"header_links_before_dropdown": 7}
html_sidebars = {"*": []}  # top-level pages have no section to navigate
html_title = "skreg"
html_show_sourcelink = False
exclude_patterns = ["_build"]
