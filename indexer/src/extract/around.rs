//! [`around`]: what stands around the text of an HTML page (navigation, banners, footers, lists of links elsewhere),
//! for [`super::html`] to leave out. A search engine loses more by a paragraph that is missing than by a menu that
//! is kept, so nothing is chosen by score: an element goes when it says that it is not content, by its name, its
//! role, its class or the relation of its links, and looks like it (many links or few words).

use std::collections::{HashMap, HashSet};

use dom_query::{NodeId, NodeRef};

use super::html::{INLINE, UNREAD};

/// Roles (WAI-ARIA) of what is not content.
const ROLES: &[&str] = &[
    "navigation",
    "banner",
    "contentinfo",
    "search",
    "complementary",
    "menu",
    "menubar",
    "toolbar",
    "dialog",
    "alertdialog",
];
/// Relations of links that lead through a set of pages, not to what the text speaks of.
const RELATIONS: &[&str] = &[
    "alternate",
    "next",
    "prev",
    "previous",
    "up",
    "start",
    "home",
    "first",
    "last",
    "contents",
    "index",
    "glossary",
    "copyright",
];
/// Words in classes and ids of navigation and the like; of these also words that begin or end with them.
const NAVIGATION: &[&str] = &["nav", "menu", "sidebar", "breadcrumb", "breadcrumbs", "pagination"];
/// Words as they are.
const BESIDE: &[&str] = &[
    "toc",
    "pager",
    "header",
    "topbar",
    "toplang",
    "related",
    "share",
    "sharing",
    "social",
    "promo",
    "sponsor",
    "sponsored",
    "advert",
    "advertisement",
    "ads",
    "newsletter",
    "subscribe",
    "cookie",
    "cookies",
    "gdpr",
    "skip",
    "search",
    "toolbar",
    "path",
    "crumb",
    "crumbs",
];
/// The name of the site above its pages.
const MASTHEADS: &[&str] = &["banner", "masthead", "logo", "branding", "titlearea", "projectname"];
const FOOTERS: &[&str] = &["footer", "colophon", "imprint", "copyright", "legal"];

/// Text of at most this many characters is a label, not a paragraph.
const LABEL: u32 = 60;
/// Navigation without links has at most this many.
const SHORT: u32 = 300;

/// Elements looked at for a heading.
const LOOKED_AT: usize = 1000;

/// Characters of an element but white space.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    text: u32,
    /// In links.
    links: u32,
    /// In links that lead through a set of pages.
    through: u32,
}

impl Share {
    fn add(&mut self, inner: Self) {
        self.text = self.text.saturating_add(inner.text);
        self.links = self.links.saturating_add(inner.links);
        self.through = self.through.saturating_add(inner.through);
    }

    /// Whether links make up this part of it, in tenths.
    fn links_are(self, tenths: u32) -> bool {
        self.links > 0 && u64::from(self.links) * 10 >= u64::from(self.text) * u64::from(tenths)
    }
}

/// The content of a page.
pub(super) struct Content<'a> {
    /// The element that holds it.
    pub(super) root: NodeRef<'a>,
    /// What in it is none, outermost elements.
    pub(super) left_out: HashSet<NodeId>,
}

/// The content of the page with this body.
pub(super) fn content<'a>(body: NodeRef<'a>) -> Content<'a> {
    let shares = shares(&body);
    let of = |node: &NodeRef<'_>| shares.get(&node.id).copied().unwrap_or_default();
    let whole = of(&body);
    let root = main(&body, whole, &of).unwrap_or(body);
    let has_main = root.id != body.id;
    let mut left_out = HashSet::new();
    let mut kept = of(&root).text;
    let mut steps = vec![root];
    while let Some(node) = steps.pop() {
        for child in node.children_it(true).filter(NodeRef::is_element) {
            let share = of(&child);
            if share.text > 0 && is_around(&child, share, (whole, has_main)) {
                left_out.insert(child.id);
                kept -= share.text.min(kept);
            } else {
                steps.push(child);
            }
        }
    }
    // A page of nothing but links and labels is its own content.
    if kept <= LABEL {
        left_out.clear();
    }
    Content { root, left_out }
}

/// The only main element of a page, or its only article, if it holds a good part of the text that is no link.
fn main<'a>(
    body: &NodeRef<'a>,
    whole: Share,
    of: &dyn Fn(&NodeRef<'_>) -> Share,
) -> Option<NodeRef<'a>> {
    let plain = |share: Share| share.text - share.links;
    let only = |wanted: &dyn Fn(&NodeRef<'_>) -> bool, least: u32| {
        let mut found = body.descendants_it().filter(|node| node.is_element() && wanted(node));
        let first = found.next()?;
        let alone = found.all(|other| other.ancestors_it(None).any(|up| up.id == first.id));
        (alone && plain(of(&first)) * 10 >= plain(whole) * least).then_some(first)
    };
    let is_main = |node: &NodeRef<'_>| node.has_name("main") || role(node) == "main";
    only(&is_main, 3).or_else(|| only(&|node| node.has_name("article"), 5))
}

/// Whether an element is not content of the page.
fn is_around(node: &NodeRef<'_>, share: Share, (whole, has_main): (Share, bool)) -> bool {
    let name = node.node_name().unwrap_or_default();
    let label = share.text - share.links <= LABEL;
    if share.through > 0 && share.through * 10 >= share.links * 9 && label && !is_inline(&name) {
        return true;
    }
    match &*name {
        "nav" | "menu" => return true,
        "footer" => return !has_parent(node, &["blockquote", "figure"]),
        "header" if !has_heading(node) => return true,
        "header" if !has_main && share.links_are(5) => return true,
        // Notes and warnings are asides, too.
        "aside" if !has_main && !is_note(node) => return share.links_are(3),
        "body" | "html" | "main" | "article" | "section" | "pre" => return false,
        _ => {}
    }
    if node.has_attr("hidden") || ROLES.contains(&&*role(node)) {
        return true;
    }
    let much = u64::from(share.text) * 3 > u64::from(whole.text);
    let (mut navigates, mut beside, mut foot, mut masthead) = (false, false, false, false);
    hints(node, &mut |word| {
        navigates |= NAVIGATION.iter().any(|n| word.starts_with(n) || word.ends_with(n));
        beside |= BESIDE.contains(&word);
        foot |= FOOTERS.contains(&word);
        masthead |= MASTHEADS.contains(&word);
    });
    // Words of a sentence and items may be marked as menus (of a program).
    if is_inline(&name) || &*name == "p" {
        return (navigates || beside) && share.links_are(5) && share.text <= SHORT;
    }
    (navigates && (share.links_are(3) || (share.text <= SHORT && !has_heading(node))))
        || (beside && share.links_are(5))
        || (foot && !much && share.text <= 4 * SHORT)
        || (masthead && share.text <= LABEL && !has_heading(node))
}

fn role(node: &NodeRef<'_>) -> String {
    node.attr("role").map(|role| role.to_ascii_lowercase()).unwrap_or_default()
}

fn has_parent(node: &NodeRef<'_>, names: &[&str]) -> bool {
    node.parent().is_some_and(|parent| names.iter().any(|name| parent.has_name(name)))
}

/// Whether a heading of the highest level, that of the page, is in it.
fn has_heading(node: &NodeRef<'_>) -> bool {
    let mut first = node.descendants_it().take(LOOKED_AT);
    first.any(|inner| inner.has_name("h1") || inner.has_name("h2"))
}

fn is_note(node: &NodeRef<'_>) -> bool {
    let mut note = false;
    hints(node, &mut |word| note |= word.starts_with("foot") || word.starts_with("note"));
    note
}

fn is_inline(name: &str) -> bool {
    INLINE.contains(&name) || matches!(name, "li" | "dd" | "dt" | "td" | "th" | "tr" | "tbody")
}

/// The words of class and id in lower case: `siteNav main_menu` → site, nav, main, menu.
fn hints(node: &NodeRef<'_>, each: &mut dyn FnMut(&str)) {
    for value in [node.attr("class"), node.attr("id")].into_iter().flatten() {
        let mut word = String::new();
        let mut before = ' ';
        for c in value.chars().take(200).chain([' ']) {
            let ends = !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase());
            if ends && !word.is_empty() {
                each(&word);
                word.clear();
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
            before = c;
        }
    }
}

/// The characters below every element.
fn shares(body: &NodeRef<'_>) -> HashMap<NodeId, Share> {
    let mut shares: HashMap<NodeId, Share> = HashMap::new();
    let nodes: Vec<NodeRef<'_>> = body.descendants_it().collect();
    // Children come after their parents, so everything below an element is summed before it.
    for node in nodes.iter().rev() {
        let mut share = if node.is_text() {
            let text = node.text().chars().filter(|c| !c.is_whitespace()).count();
            Share { text: u32::try_from(text).unwrap_or(u32::MAX), ..Share::default() }
        } else {
            shares.get(&node.id).copied().unwrap_or_default()
        };
        if node.is_element() {
            let name = node.node_name().unwrap_or_default();
            if UNREAD.contains(&&*name) {
                shares.remove(&node.id);
                continue;
            }
            if &*name == "a" && node.has_attr("href") {
                share.links = share.text;
                share.through = if leads_through(node) { share.text } else { 0 };
                shares.insert(node.id, share);
            }
        }
        if let Some(parent) = node.parent().filter(|_| share.text > 0) {
            shares.entry(parent.id).or_default().add(share);
        }
    }
    shares
}

fn leads_through(link: &NodeRef<'_>) -> bool {
    let relations = link.attr("rel").map(|rel| rel.to_ascii_lowercase()).unwrap_or_default();
    relations.split_whitespace().any(|relation| RELATIONS.contains(&relation))
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::extract::whole;

    const BODY: &str = "<h1>Herons</h1><p>The heron waits in the shallow water for hours, and then it strikes.</p>";
    const MORE: &str =
        "<p>It eats fish, frogs and now and then a young duck, as keepers of ponds know well.</p>";

    fn text(body: &str) -> String {
        let page = format!("<html><head><title>Herons</title></head><body>{body}</body></html>");
        whole(Format::Html, "a.html", page).unwrap().text
    }

    #[test]
    fn what_says_that_it_is_not_content_is_left_out() {
        let around = [
            "<nav><a href=x>Birds</a> <a href=y>Fish</a></nav>",
            "<div class=siteNav><ul><li><a href=x>Birds</a><li><a href=y>Fish</a></ul></div>",
            "<div id=main-menu><a href=x>Birds</a></div>",
            "<header><a href=/>Birds of the county</a></header>",
            "<div role=navigation>Birds</div>",
            "<div role=Search><form>Birds <input></form></div>",
            "<p><a rel=prev href=x>Birds</a> | <a rel=next href=y>Fish</a></p>",
            "<div class=footer>Birds of the county, all rights reserved</div>",
            "<footer><p>Birds, imprint</p></footer>",
            "<div class=breadcrumbs><a href=/>Home</a> &gt; <a href=x>Birds</a></div>",
            "<aside><ul><li><a href=x>Birds</a></ul></aside>",
            "<div hidden>Birds</div>",
            "<h2>Prey<a href=#prey>¶</a></h2>",
            "<p class=menu><a href=x>Birds</a> | <a href=y>Fish</a></p>",
            "<div id=path><a href=x>Birds</a> &gt; <a href=y>Fish</a></div>",
            "<div id=titlearea><div id=projectname>Birds 3.4</div></div>",
            "<div class=toplang>Languages: en | <a rel=alternate href=x>Birds</a></div>",
        ];
        for around in around {
            let text = text(&format!("{BODY}{around}{MORE}"));
            assert!(!text.contains("Birds") && !text.contains('¶'), "{around}: {text}");
            assert!(text.contains("strikes.") && text.contains("young duck"), "{around}: {text}");
        }
    }

    #[test]
    fn a_paragraph_is_kept_whatever_its_element_is_called() {
        let kept = [
            "<div class=nav-content><h2>Prey</h2><p>The paragraph stands in a part of this name.</p></div>",
            "<div class=related-work><p>The paragraph stands in a part of this name.</p></div>",
            "<aside class=note><p>The paragraph stands in a part of this name.</p></aside>",
            "<section class=footnotes><p>The paragraph stands in a part of this name.</p></section>",
            "<p>The paragraph stands <a rel=next href=x>in a part</a> that follows, which has a name of this kind, or of another.</p>",
            "<ul><li><a href=x>The paragraph stands in a list of links</a></li></ul>",
            "<p>In the menu <span class=guimenu>The paragraph stands</span> it says so.</p>",
            "<header><h1>Prey</h1><p>The paragraph stands in a part of this name.</p></header>",
            "<div class=header><p>The paragraph stands in a part of this name.</p></div>",
            "<dl><dt>Heron<dd>The paragraph stands in a definition</dl>",
            "<blockquote>A bird.<footer>The paragraph stands under what it said</footer></blockquote>",
        ];
        for kept in kept {
            let text = text(&format!("{BODY}{kept}{MORE}"));
            assert!(text.contains("The paragraph stands"), "{kept}: {text}");
        }
    }

    #[test]
    fn the_main_element_is_the_page_unless_most_of_it_is_elsewhere() {
        let beside = "<div><p>Beside the page stands another text.</p></div>";
        assert!(!text(&format!("{beside}<main>{BODY}{MORE}</main>")).contains("Beside"));
        assert!(!text(&format!("{beside}<article>{BODY}{MORE}</article>")).contains("Beside"));
        let all = text(&format!("{BODY}{MORE}<main>{beside}</main>{}", MORE.repeat(3)));
        assert!(all.contains("Beside") && all.contains("young duck"), "{all}");
        let several = text(&format!("<article>{BODY}</article><article>{MORE}</article>"));
        assert!(several.contains("strikes.") && several.contains("young duck"), "{several}");
    }

    #[test]
    fn a_page_of_links_is_its_own_content() {
        let links = "<ul class=menu>".to_owned() + &"<li><a href=x>All about herons</a>".repeat(9);
        assert!(text(&links).contains("All about herons"));
    }
}
