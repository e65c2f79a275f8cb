"""Configuration of the documentation: sphinx-build -W -b html docs docs/_build/html"""

import html
import importlib.metadata
import inspect
import operator
import re
import shutil
from pathlib import Path

import matplotlib as mpl
from docutils import nodes
from PIL import Image
from sklearn.utils.metadata_routing import UNCHANGED
from sphinx import addnodes
from sphinx.writers.html5 import HTML5Translator
from sphinx_gallery.directives import imgsgnode
from sphinx_gallery.sorting import ExplicitOrder

import skreg

HERE = Path(__file__).parent
STYLE = HERE / "style.mplstyle"

project = "skreg"
author = "the skreg developers"
copyright = f"2026, {author}"
version = release = skreg.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]

myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
templates_path = ["_templates"]
# Pages of execution times load scripts from another machine.
exclude_patterns = ["_build", "figures", "sg_execution_times.rst", "**/sg_execution_times.rst"]
suppress_warnings = ["config.cache"]  # two settings are functions
smartquotes = False  # docstrings quote values: 'adam'

# ------------------------------------------------------------------------------- API


GUIDES = {
    "skreg.classifier": "regularization/index",
    "skreg.regressor": "regularization/index",
    "skreg.tabular": "tables",
    "skreg.ensemble": "tables",
    "skreg.preprocessing": "tables",
    "skreg.model_selection": "regularization_search",
    "skreg.inspection": "looking",
    "skreg.callbacks": "checkpoints",
    "skreg.augmentation": "augmentation/index",
    **dict.fromkeys(
        [f"skreg.augmentation.{module}" for module in ("affine", "image", "crops")],
        "augmentation/images",
    ),
    "skreg.augmentation.signal": "augmentation/signals",
    "skreg.augmentation.timing": "augmentation/signals",
    "skreg.augmentation.tabular": "augmentation/tables",
    "skreg.augmentation.mixing": "augmentation/mixing",
}


def guide_of(name):
    """The page of the guide on a class or function, by the module that defines it."""
    module = operator.attrgetter(name.partition(".")[2])(skreg).__module__
    while module not in GUIDES:
        module = module.rpartition(".")[0]
    return GUIDES[module]


def methods_of(name, package):
    """Names and functions of the public methods of a class that a package defines."""
    cls = operator.attrgetter(name.partition(".")[2])(skreg)
    for method, function in inspect.getmembers(cls, callable):
        module = getattr(function, "__module__", None) or ""
        if method[0] != "_" and module.partition(".")[0] == package:
            yield method, function


def own_methods(name):
    """Names of the methods that skreg itself defines."""
    return [method for method, _ in methods_of(name, "skreg")]


def inherited_methods(name):
    """Signature of each method that scikit-learn gives, and the first sentence on it."""
    for method, function in methods_of(name, "sklearn"):
        parameters = [
            parameter.replace(
                annotation=parameter.empty,
                default=parameter.empty if parameter.default == UNCHANGED else parameter.default,
            )
            for parameter in list(inspect.signature(function).parameters.values())[1:]
        ]
        sentence = " ".join(inspect.getdoc(function).partition("\n\n")[0].split())
        yield f"{method}{inspect.Signature(parameters)}", ROLE.sub(r"\1", sentence)


ROLE = re.compile(r":\w+:`~?([^`<]*?)(?: <[^>]*>)?`")  # the pages behind these are not ours

autosummary_context = {
    "guide_of": guide_of,
    "own_methods": own_methods,
    "inherited_methods": inherited_methods,
}
numpydoc_show_class_members = False  # the template lists them
default_role = "literal"
toc_object_entries_show_parents = "hide"

MANY = 6  # parameters of a class that its signature names; all are listed below it


def shorten_signature(app, what, name, obj, options, signature, returns):
    """Long lists of parameters are named where they are described, not a second time above."""
    if what != "class" or not signature or len(inspect.signature(obj).parameters) <= MANY:
        return None
    return f"({', '.join(list(inspect.signature(obj).parameters)[:2])}, ...)", returns


def put_examples_first(app, what, name, obj, options, lines):
    """The example of a class stands before its parameters, for those who come to look."""
    listed, examples = {"The parameters by purpose:", ":Parameters:"}, ".. rubric:: Examples"
    if what == "class" and examples in lines and listed.intersection(lines):
        at = min(i for i, line in enumerate(lines) if line in listed)
        start = lines.index(examples)
        lines[:] = [*lines[:at], *lines[start:], "", *lines[at:start]]


def link_parameters(app, doctree):
    """Parameters and attributes become targets, also of the search; members are linked to."""
    domain = app.env.domains["py"]
    for cls in doctree.findall(addnodes.desc):
        if cls["objtype"] != "class":
            continue
        methods = [desc for desc in cls.findall(addnodes.desc) if desc is not cls]
        targets = {desc[0]["ids"][0].rpartition(".")[2]: desc[0]["ids"][0] for desc in methods}
        own = {desc: {name} for name, desc in zip(targets, methods, strict=True)}
        for term in cls.findall(nodes.term):
            if nearest(term, nodes.field) is None or isinstance(term[0], nodes.Text):
                continue  # neither a parameter nor an attribute
            names = term[0].astext().split(", ")
            owner = nearest(term, addnodes.desc)
            own.setdefault(owner, set()).update(names)
            if owner is cls:
                term[0].replace_self(nodes.strong("", term[0].astext()))
                for name in names:
                    targets[name] = f"{cls[0]['ids'][0]}.{name}"
                    term["ids"].append(targets[name])
                    domain.note_object(targets[name], "attribute", targets[name])
        for literal in list(cls.findall(nodes.literal)):
            name, owner = literal.astext(), nearest(literal, addnodes.desc)
            item = nearest(literal, nodes.definition_list_item)
            described_here = item is not None and targets.get(name) in item[0]["ids"]
            of_the_method = owner is not cls and name in own.get(owner, ())
            before = literal.parent[: literal.parent.index(literal)]
            of_another = before and before[-1].astext().endswith("'s ")  # "the estimator's"
            if name in targets and not (described_here or of_the_method or of_another):
                link = nodes.reference("", "", internal=True, refid=targets[name])
                literal.replace_self(link)
                link += literal


def label_cells(app, doctree):
    """In tables of text each cell knows its column, so that narrow screens can stack them."""
    for table in doctree.findall(nodes.table):
        rows = [list(row.findall(nodes.entry)) for row in table.findall(nodes.row)]
        if any(len(cell.astext()) > LONG for row in rows[1:] for cell in row[1:]):
            table["classes"].append("sk-stacked")
            labelled = next(table.findall(nodes.thead), None) and len(rows[0]) > 2
            for row in rows[1:] if labelled else ():
                for head, cell in zip(rows[0][1:], row[1:], strict=False):
                    cell["label"] = head.astext()


LONG = 40  # characters of a cell that would wrap on a narrow screen


class LabelledCells(HTML5Translator):
    """Writes these labels."""

    def visit_entry(self, node):
        super().visit_entry(node)
        if "label" in node:
            self.body[-1] = self.body[-1].replace(
                "<td", f'<td data-label="{self.attval(node["label"])}"', 1
            )


def mark_wide_pictures(app, doctree):
    """Pictures of several panels keep a readable size on narrow screens, and scroll."""
    for image in doctree.findall(nodes.image):
        file = Path(app.srcdir, image["uri"].lstrip("/"))
        if isinstance(image.parent, nodes.figure) and file.suffix == ".png" and file.exists():
            width, height = Image.open(file).size
            if width > WIDE * height:
                image.parent["classes"].append("sk-wide")


WIDE = 1.9


def describe_page(app, pagename, templatename, context, doctree):
    """What search engines show of a page: its first paragraph. The front page has one title."""
    paragraphs = doctree.findall(nodes.paragraph) if doctree else ()
    texts = (" ".join(paragraph.astext().split()) for paragraph in paragraphs)
    if text := next((text for text in texts if len(text) > SHORT), None):  # not a link alone
        context["metatags"] += f'<meta name="description" content="{html.escape(text[:LONGEST])}">'
    if pagename == app.config.root_doc:
        context["title"], context["docstitle"] = "skreg: neural networks for scikit-learn", ""


SHORT, LONGEST = 40, 300


def show_result_first(app, doctree):
    """A page of the gallery begins with its first picture, and then says how it is made."""
    picture = next(doctree.findall(imgsgnode), None)
    code = next(doctree.findall(nodes.literal_block), None)
    if picture and code and app.env.docname.startswith("auto_examples/"):
        code.parent.insert(code.parent.index(code), picture.deepcopy())


def nearest(node, kind):
    """The innermost node of a kind around another, or None."""
    while node is not None and not isinstance(node, kind):
        node = node.parent
    return node


# --------------------------------------------------------------------------- pictures


def use_style(gallery_conf, file):
    """Each example begins with the style of all."""
    mpl.style.use(STYLE)


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"^(?!.*plot_)|benchmarks",  # scripts, not pages
    "capture_repr": (),  # printed text and figures, no representation of the last value
    "subsection_order": ExplicitOrder(
        [
            f"../examples/{section}"
            for section in (
                "comparison", "penalties", "noise", "normalization", "stopping", "augmentation",
                "losses", "tables",
            )
        ]
    ),
    "reset_modules": ("matplotlib", use_style),
    "image_srcset": ["2x"],
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skreg",),
    "show_signature": False,
    "download_all_examples": False,
    "remove_config_comments": True,
}  # fmt: skip

plot_basedir = str(HERE / "figures")
plot_html_show_formats = plot_html_show_source_link = False
plot_formats = [("png", 150)]
plot_rcparams = dict(mpl.rc_params_from_file(STYLE, use_default_template=False))
plot_apply_rcparams = True

# ------------------------------------------------------------------------------ pages

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "logo": {
        "text": "skreg",
        "image_light": "_static/favicon.svg",
        "image_dark": "_static/favicon.svg",
    },
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "tango",
}
html_static_path = ["_static"]
html_css_files = ["skreg.css"]
html_favicon = "_static/favicon.svg"
html_sidebars = {"index": [], "getting_started": [], "changelog": [], "contributing": []}
html_title = "skreg"
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

# Formulas are set by files that lie beside the pages, so that they need no network.
mathjax_path = "mathjax/tex-chtml.js"


def copy_mathjax(app, error):
    """The part of MathJax that pages of formulas need: the program and its fonts."""
    if error or app.builder.format != "html":
        return
    files = importlib.metadata.files("sphinx-mathjax-offline")
    program = next(Path(f.locate()) for f in files if f.name == "tex-chtml.js")
    fonts = Path("output", "chtml", "fonts", "woff-v2")
    target = Path(app.outdir, "_static", "mathjax")
    shutil.copytree(program.parent / fonts, target / fonts, dirs_exist_ok=True)
    shutil.copy(program, target)


def setup(app):
    app.set_translator("html", LabelledCells)
    for change in (link_parameters, label_cells, mark_wide_pictures, show_result_first):
        app.connect("doctree-read", change)
    app.connect("autodoc-process-signature", shorten_signature)
    app.connect("autodoc-process-docstring", put_examples_first, priority=900)  # after numpydoc
    app.connect("html-page-context", describe_page)
    app.connect("build-finished", copy_mathjax)
