"""xml: documents of XML, read, changed and searched.

No entity of a document is expanded and nothing is fetched for it: what comes by mail may not make
us read files, ask hosts, or fill the memory (CWE-611, CWE-776).

A text is a node of its own in Lua. lxml has it as part of the element before it, so a `Node` of a
text is the element and whether it stands inside or behind.
"""

from collections.abc import Iterator
from typing import Final

from lxml import etree

from angarium.modules.lua.bind import LuaError, lua, lua_object
from angarium.modules.lua.values import TableHandle

DECLARATION: Final = '<?xml version="1.0" encoding="utf8"?>\n'
TEXT: Final = "text"
MOST_FOUND: Final = 100_000  # nodes of one query


@lua_object("doc", "xml_document")
class Document:
    """A document of XML."""

    __slots__ = ("root",)

    def __init__(self, root: "etree._Element") -> None:
        self.root = root


@lua_object("node", "xml_node")
class Node:
    """An element, or a text."""

    __slots__ = ("behind", "document", "element", "is_text")

    def __init__(
        self,
        element: "etree._Element",
        document: Document | None,
        *,
        is_text: bool = False,
        behind: bool = False,
    ) -> None:
        self.element = element
        self.document = document
        self.is_text = is_text
        self.behind = behind  # the text behind the element, not the one inside

    @property
    def text(self) -> str:
        return (self.element.tail if self.behind else self.element.text) or ""


@lua_object("nodes", "xml_nodes")
class Nodes:
    """Nodes, one after the other: for node in doc:xpath("//item")."""

    __slots__ = ("_nodes",)

    def __init__(self, nodes: Iterator[Node]) -> None:
        self._nodes = nodes

    def following(self) -> Node | None:
        return next(self._nodes, None)


@lua("xml.parsexml")
def parsexml(strxml: bytes, keep_blanks: int = 0) -> Document:
    """Read a document. Blanks between elements are left out, unless `keep_blanks` is not 0."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=not keep_blanks,
    )
    try:
        return Document(etree.fromstring(strxml, parser))
    except etree.XMLSyntaxError as error:
        raise LuaError(f"this is not XML: {error.msg}") from error
    except ValueError as error:
        raise LuaError(f"this is not XML: {error}") from error


@lua("doc:root")
def root(self: Document) -> Node:
    """Return the outermost element."""
    return Node(self.root, self)


@lua("doc:tostring")
def doc_tostring(self: Document) -> str:
    """Return the document as text."""
    return DECLARATION + _pretty(self.root) + "\n"


lua("doc:__tostring")(doc_tostring)


def _pretty(element: "etree._Element") -> str:
    return str(
        etree.tostring(element, encoding="unicode", pretty_print=True, with_tail=False)
    ).rstrip("\n")


@lua("doc:xpath")
def xpath(self: Document, query: str, contextnode: object = None) -> Nodes:
    """Search by XPath; return what is found, one after the other.

    `contextnode`: the node from which it is searched, or a table with it.
    """
    start = self.root
    if isinstance(contextnode, Node):
        start = contextnode.element
    elif contextnode is not None:
        inner = contextnode.get(1) if isinstance(contextnode, TableHandle) else None
        if not isinstance(inner, Node):
            raise LuaError("the context of xpath is a node")
        start = inner.element
    try:
        found = start.xpath(query)
    except (etree.XPathError, ValueError, TypeError) as error:
        raise LuaError(f"'{query}' is no XPath: {error}") from error
    if not isinstance(found, list):
        raise LuaError(f"'{query}' finds no nodes but a value")
    return Nodes(iter([_found(each, self) for each in found[:MOST_FOUND]]))


def _found(each: object, document: Document) -> Node:
    if isinstance(each, etree._Element):
        return Node(each, document)
    parent = getattr(each, "getparent", lambda: None)()
    if parent is None:
        raise LuaError("XPath may find elements, texts and attributes")
    if getattr(each, "is_attribute", False):
        made = etree.Element(str(getattr(each, "attrname", "")))
        made.text = str(each)
        return Node(made, document)
    return Node(parent, document, is_text=True, behind=bool(getattr(each, "is_tail", False)))


@lua("nodes:__call")
def following(self: Nodes) -> Node | None:
    """Return the next node, nil after the last one."""
    return self.following()


@lua("node:name")
def name(self: Node) -> str:
    """Return the name of an element; "text" for a text."""
    if self.is_text:
        return TEXT
    tag = self.element.tag
    return etree.QName(self.element).localname if isinstance(tag, str) else "comment"


@lua("node:doc")
def doc(self: Node) -> Document | None:
    """Return the document the node is in; nil if it was taken out of one."""
    return self.document


@lua("node:children")
def children(self: Node) -> Nodes:
    """Return what is in an element, texts too, one after the other."""
    found: list[Node] = []
    if not self.is_text:
        if self.element.text:
            found.append(Node(self.element, self.document, is_text=True))
        for each in self.element:
            found.append(Node(each, self.document))
            if each.tail:
                found.append(Node(each, self.document, is_text=True, behind=True))
    return Nodes(iter(found))


@lua("node:addchild")
def addchild(self: Node, value: bytes | Node) -> Node:
    """Put an element of that name, or a node there is, at the end of an element; return it."""
    if self.is_text:
        raise LuaError("a text has no children")
    if isinstance(value, Node):
        if value.is_text:
            _append_text(self.element, value.text)
            return Node(
                self.element[-1] if len(self.element) else self.element,
                self.document,
                is_text=True,
                behind=len(self.element) > 0,
            )
        if value.element is self.element or value.element in self.element.iterancestors():
            raise LuaError("an element cannot be put into itself")
        _take_out(value.element)
        self.element.append(value.element)
        value.document = self.document
        return value
    try:
        made = etree.SubElement(self.element, value.decode())
    except ValueError as error:
        raise LuaError(f"no element can have this name: {error}") from error
    return Node(made, self.document)


def _append_text(element: "etree._Element", text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _take_out(element: "etree._Element") -> None:
    """Take an element out of where it is; the text behind it stays there."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
        element.tail = None
    parent.remove(element)


@lua("node:attribute")
def attribute(self: Node, name: str, *value: object) -> bytes | None:
    """Return an attribute; with a value set it, with nil remove it."""
    if self.is_text:
        raise LuaError("a text has no attributes")
    if not value:
        try:
            found = self.element.get(name)
        except ValueError as error:
            raise LuaError(f"no attribute can have this name: {error}") from error
        return None if found is None else found.encode()
    given = value[0]
    text = None if given is None else _string(given)
    try:
        if text is None:
            self.element.attrib.pop(name, None)
        else:
            self.element.set(name, text)
    except ValueError as error:
        raise LuaError(f"this attribute cannot be set: {error}") from error
    return None


lua("node:attr")(attribute)


def _string(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LuaError("XML takes strings and numbers")
    return f"{value:.14g}"


@lua("node:contents")
def contents(self: Node, text_str: str | None = None) -> bytes | None:
    """Return the text in a node; with a text put it there instead, with an empty one remove it."""
    if text_str is None:
        if self.is_text or not isinstance(self.element.tag, str):
            return self.text.encode()
        return "".join(str(each) for each in self.element.itertext()).encode()
    try:
        if self.is_text and self.behind:
            self.element.tail = text_str or None
        else:
            for each in list(self.element) if not self.is_text else ():
                self.element.remove(each)
            self.element.text = text_str or None
    except ValueError as error:
        raise LuaError(f"XML cannot hold this text: {error}") from error
    return None


@lua("node:tostring")
def node_tostring(self: Node) -> str:
    """Return a node with all that is in it as text."""
    return self.text if self.is_text else _pretty(self.element)


lua("node:__tostring")(node_tostring)


@lua("node:unlink")
def unlink(self: Node) -> Node:
    """Take a node out of its document and return it."""
    if self.is_text:
        text, behind = self.text, self.behind
        if behind:
            self.element.tail = None
        else:
            self.element.text = None
        alone = etree.Element(TEXT)
        alone.text = text
        self.element, self.behind = alone, False
    else:
        _take_out(self.element)
    self.document = None
    return self
