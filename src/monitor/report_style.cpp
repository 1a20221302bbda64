#include "report_page.hpp"

namespace sae {

// Colours come in two sets, for light and dark. Nothing is wider than the window but what scrolls
// in a box of its own.
const char* const kReportStyle = R"css(
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#131312;--soft:#55544f;--faint:#8a8981;
--grid:#e4e3dc;--edge:#dddcd4;--s1:#2a78d6;--s2:#dd5a20;--s3:#15966a;--s4:#d99400;--s5:#c2478a;--s6:#9a998f;
--right:21,150,106;--wrong:221,90,32;--badge:#e8f1fc;--stage1:#2a78d6;--stage2:#7db2ee;--stage3:#15966a}
@media (prefers-color-scheme:dark){:root{--page:#121212;--card:#1c1c1b;--ink:#f4f3ee;--soft:#bdbcb3;
--faint:#8f8e85;--grid:#31312e;--edge:#343430;--s1:#5a9cf0;--s2:#f0834f;--s3:#2fbd8c;--s4:#e0aa2e;--s5:#e07bb0;
--s6:#7b7a72;--right:47,189,140;--wrong:240,131,79;--badge:#1d2f47;--stage1:#5a9cf0;--stage2:#2f5f9e;
--stage3:#2fbd8c}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 16px}
header{padding-top:24px}
h1{font-size:1.5rem;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:0 0 12px}
h3{font-size:1rem;margin:0 0 2px}
p{margin:6px 0}
.soft,figcaption,caption,footer{color:var(--soft);font-size:.9rem}
.badge{display:inline-block;padding:2px 12px;border-radius:99px;font-size:.9rem;font-weight:600;
background:var(--badge);margin:8px 8px 0 0}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:14px 0 18px;font-size:.95rem}
a{color:var(--s1)}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:18px;margin:0 0 18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0 0 18px;padding:0}
.tile{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:12px 16px;min-width:0}
.tile dt{color:var(--soft);font-size:.85rem}
.tile dd{margin:0;font-size:1.6rem;font-weight:650;line-height:1.3}
.tile dd span{display:block;font-size:.85rem;font-weight:400;color:var(--soft);overflow-wrap:anywhere}
.progress{height:8px;border-radius:4px;background:var(--grid);overflow:hidden;margin:2px 0 18px}
.progress div{height:100%;background:var(--s1)}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:22px}
figure{margin:0;min-width:0}
h3+img,h3+.stack{margin:6px 0}
svg{display:block;width:100%;height:auto;max-width:600px}
svg text{font-size:12px;fill:var(--soft)}
svg .grid{stroke:var(--grid)}
svg .axis{stroke:var(--faint)}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
svg .hit{fill:transparent}
svg .hit:hover{stroke:var(--ink)}
.line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2)}.line.s3{stroke:var(--s3)}.line.s4{stroke:var(--s4)}
.dot.s1{fill:var(--s1)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}.dot.s4{fill:var(--s4)}
.s1.key,.bar .s1{background:var(--s1)}.s2.key,.bar .s2{background:var(--s2)}.s3.key,.bar .s3{background:var(--s3)}
.s4.key,.bar .s4{background:var(--s4)}.s5.key,.bar .s5{background:var(--s5)}.s6.key,.bar .s6{background:var(--s6)}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:.9rem;color:var(--soft);margin:4px 0 8px;padding:0;list-style:none}
.key{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
img{display:block;max-width:100%;height:auto;image-rendering:pixelated;border-radius:4px;background:#000}
.stack{display:grid;grid-template-columns:auto minmax(0,1fr);gap:0 10px;align-items:stretch;font-size:.85rem;color:var(--soft)}
.stack ol{list-style:none;margin:0;padding:0;display:grid;grid-auto-rows:1fr;align-items:center}
.stack img,.filters img{width:100%}
.filters figure{max-width:440px}
.wide{overflow-x:auto;max-width:100%;margin:10px 0}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding-bottom:6px}
th,td{padding:4px 10px;border-bottom:1px solid var(--grid);text-align:left;vertical-align:top;white-space:nowrap}
th{font-weight:600}
.n{text-align:right}
.text td{white-space:normal;overflow-wrap:anywhere;min-width:120px}
details{margin-top:10px}
summary{cursor:pointer;color:var(--soft);font-size:.9rem;padding:4px 0}
.confusion td,.confusion th{text-align:right;padding:5px 7px;border:1px solid var(--card);min-width:2.2em}
.confusion td{min-width:3.5em}
.confusion td.zero{color:var(--faint)}
.hard{display:grid;grid-template-columns:repeat(auto-fill,minmax(86px,1fr));gap:14px 10px;margin:0;padding:0;list-style:none}
.hard img{width:100%;max-width:96px}
.hard b{display:block;font-size:.95rem;margin-top:3px}
.hard small{color:var(--soft);display:block;line-height:1.3}
.bar{display:flex;gap:2px;height:20px;margin:2px 0 8px;min-width:0}
.bar span{min-width:0;border-radius:2px}
.track{position:relative;height:30px;margin:26px 0 4px;background:var(--grid);border-radius:4px}
.track>*{position:absolute;top:0;bottom:0}
.seg{border-radius:2px;border-right:1px solid var(--card)}
.g1,.g1.key{background:var(--stage1)}.g2,.g2.key{background:var(--stage2)}.g3,.g3.key{background:var(--stage3)}
.lost,.lost.key{background:repeating-linear-gradient(45deg,var(--card) 0 3px,var(--s2) 3px 6px)}
.track .ck{top:-10px;bottom:auto;width:9px;height:9px;margin-left:-4.5px;border-radius:50%;background:var(--ink)}
.ck.key{border-radius:50%;background:var(--ink);width:9px;height:9px}
.track .rs{top:-22px;bottom:-6px;width:3px;margin-left:-1.5px;background:var(--s2)}
.rs.key{width:3px;height:14px;background:var(--s2)}
.ends{display:flex;justify-content:space-between;font-size:.85rem;color:var(--soft)}
.note{border-left:3px solid var(--s4);padding-left:10px}
footer{padding-bottom:32px}
@media (max-width:480px){section{padding:14px 12px}main,header,footer{padding-left:10px;padding-right:10px}
.tile dd{font-size:1.35rem}svg text{font-size:14px}.confusion td,.confusion th{padding:4px 1px;min-width:1.5em;font-size:.68rem}}
@media print{section{break-inside:avoid}nav{display:none}}
)css";

}  // namespace sae
