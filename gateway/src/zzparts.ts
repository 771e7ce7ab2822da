import { encodeEntry, encodeBase64, leafHash, nodeHash } from '@hitmachine/protocol';
import crypto from 'node:crypto';
import fs from 'node:fs';
import * as ex from './routes/examples.ts';
const body = JSON.stringify({...ex.lookupRequest, tokenTypes:['address','bsn','name+birthdate'], elements:'A'.repeat(128)});
const ev = { base: encodeBase64(new Uint8Array(260).fill(65)), signature: encodeBase64(new Uint8Array(64)) };
const mk = (i:number) => ({ event:'lookup' as const, agency:'politie', lookupId: encodeBase64(new Uint8Array(Buffer.from(String(i).padStart(16,'0')))), body, evidence: ev });
const N=30000;
let sink:any;
function t(name:string, f:(i:number)=>void){ let best=1e9; for(let r=0;r<5;r++){ const s=performance.now(); for(let i=0;i<N;i++)f(i); best=Math.min(best,(performance.now()-s)/N*1000);} console.log(name, best.toFixed(2),'us'); }
const e={at:1,...mk(1)}; const leaf=encodeEntry(e); console.log('leaf',leaf.length);
const te=new TextEncoder();
t('encodeEntry',(i)=>{sink=encodeEntry(e)});
t('stringify',(i)=>{sink=JSON.stringify(e)});
const txt=JSON.stringify(e);
t('stringify body',(i)=>{sink=JSON.stringify(body)});
t('te.encode',(i)=>{sink=te.encode(txt)});
t('Buffer.from',(i)=>{sink=Buffer.from(txt,'utf8')});
const big=Buffer.alloc(1<<20);
t('utf8Write',(i)=>{sink=big.utf8Write(txt,1)});
t('encodeInto',(i)=>{sink=te.encodeInto(txt,big.subarray(1))});
t('latin1Write',(i)=>{sink=big.latin1Write(txt,1)});
t('concat str+encode',(i)=>{sink=te.encode(`{"at":${i},"event":"lookup","agency":"${e.agency}","lookupId":"${e.lookupId}","body":${JSON.stringify(e.body)},"evidence":{"base":"${e.evidence.base}","signature":"${e.evidence.signature}"}}`)});
const re=/^[\w-]*$/;
t('regex base',(i)=>{sink=re.test(e.evidence.base)});
t('leafHash createHash',(i)=>{sink=new Uint8Array(crypto.createHash('sha256').update(big.subarray(0,1)).update(leaf).digest())});
const withp=Buffer.concat([Buffer.from([0]),leaf]);
t('crypto.hash buffer',(i)=>{sink=crypto.hash('sha256',withp,'buffer')});
t('crypto.hash latin1',(i)=>{sink=crypto.hash('sha256',withp,'latin1')});
const p65=Buffer.alloc(65);
t('crypto.hash 65 buffer',(i)=>{sink=crypto.hash('sha256',p65,'buffer')});
t('crypto.hash 65 latin1',(i)=>{sink=crypto.hash('sha256',p65,'latin1')});
const h=new Uint8Array(32);
t('nodeHash noble',(i)=>{sink=nodeHash(h,h)});
t('leafHash noble',(i)=>{sink=leafHash(leaf)});
t('alloc u8 1000',(i)=>{sink=new Uint8Array(1000)});
t('copy big.slice',(i)=>{sink=Uint8Array.prototype.slice.call(big,0,1000)});
for (const kb of [4,64,128,320,640]) { const f=fs.openSync('/tmp/I/fs','w'); const b=Buffer.alloc(kb*1024,1); const s=performance.now(); let n=0,w=0; while(performance.now()-s<700){const a=performance.now();fs.writeSync(f,b);w+=performance.now()-a;fs.fdatasyncSync(f);n++} const el=performance.now()-s; fs.closeSync(f); console.log('fsync',kb,'KB',(el/n*1000).toFixed(0),'us each; write',(w/n*1000).toFixed(0), 'rate', Math.round(n/el*1000)); }
// overwrite in place (preallocated)
{ const f=fs.openSync('/tmp/I/fs','r+'); const b=Buffer.alloc(320*1024,1); const s=performance.now(); let n=0; while(performance.now()-s<700){fs.writeSync(f,b,0,b.length,(n%20)*b.length);fs.fdatasyncSync(f);n++} console.log('fsync overwrite 320KB', ((performance.now()-s)/n*1000).toFixed(0)); fs.closeSync(f);}
